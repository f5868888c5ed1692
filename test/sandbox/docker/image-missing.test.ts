import { expect, it } from 'vitest'
import { hostPath } from '../../../src/config/places.ts'
import { dockerEngine } from '../../../src/sandbox/docker/engine.ts'
import { answering, engine } from '../../support/docker-server.ts'

it.each([
  [false, 'The sandbox image is not built yet: run `cofferdam image build`.'],
  [true, 'The image mine:1 of engine.image is not on the engine: build or pull it, or remove the key.'],
])('an image that is missing, configured: %j, says what helps (B21)', async (imageIsConfigured, message) => {
  const answer = engine({ Version: '20.10', ApiVersion: '1.41' })
  const socketPath = await answering((request, response) => {
    if (request.url?.includes('/images/') !== true) answer(request, response)
    else response.writeHead(404).end('{"message":"No such image: mine:1"}')
  })
  const scratch = hostPath('/nowhere')
  const options = {
    runtimeFolder: scratch,
    socketPath,
    installation: 'test',
    user: { uid: 1, gid: 1 },
    scratch,
    imageTag: () => 'mine:1',
    imageIsConfigured,
  }
  await expect(dockerEngine(options).image()).rejects.toMatchObject({ code: 'image', message })
})

import { describe, expect, it } from 'vitest'
import { connector } from '../../../src/sandbox/docker/connect.ts'
import { answering, engine } from '../../support/docker-server.ts'

describe('connecting to an engine', () => {
  it('that is down says how to start it (B21)', async () => {
    await expect(connector('/nowhere/docker.sock')()).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringMatching(/nowhere\/docker\.sock.*systemctl start docker/) as string,
    })
  })

  it('that never answers ends in time', async () => {
    const path = await answering(() => undefined)
    await expect(connector(path, 0.2)()).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringContaining('in time') as string,
    })
  })

  it('that stops in the middle of an answer ends in time', async () => {
    const path = await answering((_, response) => void response.writeHead(200).write('{"half":'))
    await expect(connector(path, 0.2)()).rejects.toMatchObject({ code: 'engine' })
  })

  it('that is too old says so', async () => {
    const path = await answering(engine({ Version: '19.03.15', ApiVersion: '1.40' }))
    await expect(connector(path)()).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringContaining('20.10') as string,
    })
  })

  it.each([
    ['1.41', '/v1.41/_ping'],
    ['1.99', '/v1.51/_ping'],
  ])('that offers API %s is spoken to as %s', async (ApiVersion, expected) => {
    const asked: (string | undefined)[] = []
    const answer = engine({ Version: '99', ApiVersion })
    const path = await answering((request, response) => {
      asked.push(request.url)
      return answer(request, response)
    })
    const api = await connector(path)()
    await api.docker.ping()
    expect(asked.at(-1)).toBe(expected)
  })

  it('is tried again after it failed', async () => {
    let up = false
    const answer = engine({ Version: '20.10', ApiVersion: '1.41' })
    const path = await answering((request, response) =>
      up ? answer(request, response) : request.socket.destroy(),
    )
    const connect = connector(path)
    await expect(connect()).rejects.toMatchObject({ code: 'engine' })
    up = true
    expect((await connect()).host).toMatchObject({ version: '20.10', cpus: 4 })
  })
})

import { engineContract } from '../contract/engine.ts'
import { fakeEngine, fakeHost } from '../support/fake-engine.ts'

engineContract('the fake engine', async () => {
  const host = await fakeHost()
  return {
    open: (installation) => fakeEngine({ installation, host }),
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  }
})

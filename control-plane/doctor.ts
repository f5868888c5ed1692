import { statfs } from 'node:fs/promises'
import type { Engine } from '../src/domain/box.ts'
import { messageOf } from '../src/domain/failure.ts'
import type { Finding } from './control-plane.ts'
import type { Store } from './store/store.ts'

export interface DoctorDeps {
  readonly engine: Engine
  readonly store: Store
  readonly data: string
  /** Boxes are ended when less than this is free, MiB. */
  readonly diskFreeMb: number
}

/** Looks at everything that a task needs, and says what to do about what is missing. */
export async function doctor(deps: DoctorDeps): Promise<readonly Finding[]> {
  return [
    await finding('engine', async () => {
      const { name, warnings } = await deps.engine.describe()
      return warnings.length === 0 ? ok(name) : warning(`${name}; ${warnings.join('; ')}`)
    }),
    await finding('image', async () => ok(await deps.engine.image())),
    await finding('disk', async () => {
      const { bavail, bsize } = await statfs(deps.data)
      const freeMb = Math.floor((bavail * bsize) / 1024 / 1024)
      const text = `${freeMb} MiB free in ${deps.data}`
      if (freeMb < deps.diskFreeMb)
        return problem(`${text}: boxes are ended below ${deps.diskFreeMb} MiB. Free some space.`)
      return ok(text)
    }),
    await finding('tasks', () => {
      const counts = deps.store.counts()
      const text = Object.entries(counts)
        .filter(([, count]) => count > 0)
        .map(([status, count]) => `${count} ${status}`)
      return Promise.resolve(ok(text.length === 0 ? 'none yet' : text.join(', ')))
    }),
  ]
}

type Found = Omit<Finding, 'name'>
const ok = (text: string): Found => ({ state: 'ok', text })
const warning = (text: string): Found => ({ state: 'warning', text })
const problem = (text: string): Found => ({ state: 'problem', text })

async function finding(name: string, look: () => Promise<Found>): Promise<Finding> {
  const found = await look().catch((error: unknown) => problem(messageOf(error)))
  return { name, ...found }
}

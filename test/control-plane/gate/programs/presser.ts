import { existsSync } from 'node:fs'
import { z } from 'zod'
import { Bus } from '../../../../control-plane/bus.ts'
import { Misses } from '../../../../control-plane/gate/misses.ts'
import { press } from '../../../../control-plane/gate/press.ts'
import { openStore } from '../../../../control-plane/store/open.ts'
import { Tasks } from '../../../../control-plane/tasks.ts'
import { messageOf } from '../../../../src/domain/failure.ts'
import { attesting } from '../../../support/attesting.ts'
import { aTaskId, aTime } from '../../../support/task.ts'
import { hostPath } from '../../store/home.ts'

// Presses one button as one person, once a file is there, and prints what came of it.
const [file, button, who, go] = z
  .tuple([z.string(), z.string(), z.string(), z.string()])
  .parse(process.argv.slice(2))
const store = openStore(hostPath(file))
const clock = (): number => aTime + 1
const tasks = new Tasks({ store, bus: new Bus(), clock, attestor: attesting(store) })
const deps = { store, tasks, clock, nonceKey: () => 'k', misses: new Misses() }
console.log('ready')
while (!existsSync(go));
try {
  press(deps, aTaskId, button, null, { actor: { kind: 'local', id: who }, role: 'owner' })
  console.log('won')
} catch (error) {
  console.log(`lost: ${messageOf(error)}`)
}
store[Symbol.dispose]()

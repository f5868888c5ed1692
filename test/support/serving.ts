import { worksForever } from './scripted-plane.ts'
import { scriptedMachine } from './scripted-world.ts'

// A process of its own that works on a data folder, for tests that suspend or kill it. It prints where.
const machine = scriptedMachine(worksForever)
await machine.start(['serve']).printed('Working on the tasks')
process.stdout.write(`${machine.folder}\n`)

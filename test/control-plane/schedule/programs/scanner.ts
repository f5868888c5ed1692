import { existsSync } from 'node:fs'
import { z } from 'zod'
import { hostPath } from '../../store/home.ts'
import { scheduleLab } from '../lab.ts'

// Decides what is due on a database at each of some times, once a file is there; says when it is about to write.
const [file, go, ...times] = z.tuple([z.string(), z.string()], z.string()).parse(process.argv.slice(2))
let now = 0
const lab = scheduleLab(
  hostPath(file),
  () => now,
  () => console.log('making'),
)
console.log('ready')
while (!existsSync(go));
for (const time of times) {
  now = Number(time)
  await lab.scheduler.scan()
}
lab[Symbol.dispose]()
console.log('done')

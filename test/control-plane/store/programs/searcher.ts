import { writeSync } from 'node:fs'
import { Bus } from '../../../../control-plane/bus.ts'
import { Indexer } from '../../../../control-plane/search/indexer.ts'
import { openStore } from '../../../../control-plane/store/open.ts'
import { searchIndex } from '../../../../control-plane/store/search/index.ts'
import { birth, change } from '../../../support/change.ts'
import { aTask, aTaskIdOf } from '../../../support/task.ts'
import { hostPath } from '../home.ts'

// Makes and changes tasks and puts them into the index, as fast as it can; says how many there are after each is made.
const [, , file = '', indexFile = ''] = process.argv
const store = openStore(hostPath(file))
const index = searchIndex(hostPath(indexFile))
const bus = new Bus()
const indexer = new Indexer({ store, index, bus, log: console })
for (let number = store.tasks({}).length; ; number += 1) {
  const born = aTask({ id: aTaskIdOf(number), createdAt: number, goal: `early${number}` })
  store.write(birth(born))
  writeSync(1, `${number + 1}\n`)
  bus.changed(born, 'submitted')
  if (number % 3 === 0) await indexer.ready(50)
  const next = change(born, { goal: `late${number}` })
  store.write(next)
  bus.changed(next.after, next.event.type)
  if (number % 2 === 0) await indexer.ready(50)
}

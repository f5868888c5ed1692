import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Bus } from '../../control-plane/bus.ts'
import { openMetrics } from '../../control-plane/metrics.ts'
import { openStore } from '../../control-plane/store/open.ts'
import { Tasks } from '../../control-plane/tasks.ts'
import { hostPath } from '../../src/config/places.ts'
import { attesting } from '../support/attesting.ts'
import { aDestination } from '../support/letters.ts'
import { aPerson, aTask, aTaskIdOf } from '../support/task.ts'

it('counts tasks by state, what happened to them, and requests by route', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-metrics-'))
  const bus = new Bus()
  const now = Date.now() + 60_000
  const store = openStore(hostPath(join(folder, 'cofferdam.db')))
  using metrics = openMetrics({ store, bus, clock: () => now })
  const tasks = new Tasks({ store, bus, clock: Date.now, attestor: attesting(store) })
  const told = new Tasks({
    store,
    bus,
    clock: Date.now,
    attestor: attesting(store),
    destinations: [aDestination('a')],
  })
  told.birth(aTask({ id: aTaskIdOf(7), status: 'PENDING' }), 'Submitted.')
  told.act(aTaskIdOf(7), { type: 'stopped', text: null }, aPerson)
  const { id } = tasks.birth(aTask({ status: 'PENDING' }), 'Submitted.')
  tasks.act(id, { type: 'stopped', text: null }, aPerson)
  const request = { requestId: '1', actor: null, method: 'GET', route: '/v1/tasks/{id}', status: 200, ms: 4 }
  metrics.seen(request)
  metrics.seen(request)
  const text = await metrics.text()
  expect(text).toContain('cofferdam_outbox_letters{state="waiting"} 2')
  expect(text).toContain('cofferdam_outbox_letters{state="dead"} 0')
  expect(Number(/^cofferdam_outbox_oldest_seconds (\S+)$/m.exec(text)?.[1])).toBeGreaterThanOrEqual(59)
  expect(text).toContain('cofferdam_tasks{state="STOPPED"} 2')
  expect(text).toContain('cofferdam_tasks{state="PENDING"} 0')
  expect(text).toContain('cofferdam_transitions_total{type="stopped",to="STOPPED"} 2')
  expect(text).toContain(
    'cofferdam_http_request_duration_seconds_count{method="GET",route="/v1/tasks/{id}",status="200"} 2',
  )
  expect(text).not.toContain(id)
  store[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

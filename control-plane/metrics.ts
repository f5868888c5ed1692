import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { statuses } from '../src/domain/task.ts'
import type { Bus } from './bus.ts'
import type { Seen } from './http/witness.ts'
import type { Store } from './store/store.ts'

interface MetricsDeps {
  readonly store: Pick<Store, 'counts' | 'checkpoints' | 'outbox'>
  /** Epoch milliseconds. */
  readonly clock: () => number
  readonly bus: Bus
}

export interface Metrics extends Disposable {
  seen(seen: Seen): void
  /** In the text format of Prometheus. */
  text(): Promise<string>
}

/** What is counted in this process, and what the database says when it is asked. Every label has few values. */
export function openMetrics({ store, bus, clock }: MetricsDeps): Metrics {
  const registry = new Registry()
  // Asked of the store at each scrape.
  const tasks = new Gauge({
    name: 'cofferdam_tasks',
    help: 'Tasks by state.',
    labelNames: ['state'],
    registers: [],
    collect() {
      const counts = store.counts()
      for (const state of statuses) this.set({ state }, counts[state])
    },
  })
  const letters = new Gauge({
    name: 'cofferdam_outbox_letters',
    help: 'Letters to destinations that have not arrived: those that wait, and those that were given up.',
    labelNames: ['state'],
    registers: [],
    collect() {
      const { waiting, dead } = store.outbox.standing()
      this.set({ state: 'waiting' }, waiting)
      this.set({ state: 'dead' }, dead)
    },
  })
  const letterAge = new Gauge({
    name: 'cofferdam_outbox_oldest_seconds',
    help: 'For how long the oldest letter waits; 0 where none does.',
    registers: [],
    collect() {
      const { oldestAt } = store.outbox.standing()
      this.set(oldestAt === null ? 0 : Math.max(0, clock() - oldestAt) / 1000)
    },
  })
  const transitions = new Counter({
    name: 'cofferdam_transitions_total',
    help: 'Changes of tasks since the process began, by their kind and the state that they led to.',
    labelNames: ['type', 'to'],
    registers: [registry],
  })
  const steps = new Histogram({
    name: 'cofferdam_step_duration_seconds',
    help: 'From the beginning of a step to its checkpoint.',
    buckets: [1, 5, 15, 30, 60, 120, 300, 600, 1200, 3600],
    registers: [registry],
  })
  const requests = new Histogram({
    name: 'cofferdam_http_request_duration_seconds',
    help: 'Until the answer begins, by method, route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.015, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  })
  const memory = new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Memory of the process.',
    registers: [],
    collect() {
      this.set(process.memoryUsage.rss())
    },
  })
  registry.registerMetric(tasks)
  registry.registerMetric(letters)
  registry.registerMetric(letterAge)
  registry.registerMetric(memory)
  const unsubscribe = bus.subscribe({
    changed(task, type) {
      transitions.inc({ type, to: task.status })
      if (type !== 'checkpointed') return
      const step = store.checkpoints(task.id, task.step).findLast((row) => row.step === task.step)
      if (step?.endedAt != null) steps.observe((step.endedAt - step.startedAt) / 1000)
    },
  })
  return {
    seen: ({ method, route, status, ms }) =>
      requests.observe({ method, route, status: String(status) }, ms / 1000),
    text: () => registry.metrics(),
    [Symbol.dispose]: () => {
      unsubscribe()
    },
  }
}

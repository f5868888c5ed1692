import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { statuses } from '../src/domain/task.ts'
import type { Bus } from './bus.ts'
import type { Seen } from './http/witness.ts'
import type { Store } from './store/store.ts'

interface MetricsDeps {
  readonly store: Pick<Store, 'counts' | 'events' | 'checkpoints'>
  readonly bus: Bus
}

export interface Metrics extends Disposable {
  seen(seen: Seen): void
  /** In the text format of Prometheus. */
  text(): Promise<string>
}

/** What is counted in this process, and what the database says when it is asked. Every label has few values. */
export function openMetrics({ store, bus }: MetricsDeps): Metrics {
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
  registry.registerMetric(memory)
  const unsubscribe = bus.subscribe({
    changed(task) {
      const event = store.events(task.id, task.version - 1, 1)[0]
      if (event === undefined) return
      transitions.inc({ type: event.type, to: event.to })
      if (event.type !== 'checkpointed') return
      const step = store.checkpoints(task.id, event.step).findLast((row) => row.step === event.step)
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

import type { Reporter, TestCase, TestModule } from 'vitest/node'
import type { Ran } from './row.ts'

/** Gathers what became of each case. */
export class AttackReporter implements Reporter {
  readonly ran: Ran[] = []

  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) {
      // A hook that failed takes all tests of its suite with it, and says so there alone.
      const suites = [...module.children.allSuites()]
      const errors = [...module.errors(), ...suites.flatMap((suite) => suite.errors())].map(
        ({ message }) => message,
      )
      for (const test of module.children.allTests()) this.ran.push(ranOf(test, errors))
      if (module.children.size === 0)
        this.ran.push({ name: module.relativeModuleId, state: 'failed', account: null, note: null, errors })
    }
  }
}

function ranOf(test: TestCase, around: readonly string[]): Ran {
  const { state, errors = [], note = null } = { note: undefined, ...test.result() }
  const own = errors.map(({ message }) => message)
  return {
    name: test.name,
    state,
    account: test.meta().attack ?? null,
    note: note ?? null,
    errors: own.length > 0 ? own : around,
  }
}

import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Tests whose assertions are about time or memory.
const alone = [
  'test/sandbox/docker/measured.engine.test.ts',
  'test/e2e/stop.test.ts',
  'test/attack/{gateway,resources}.test.ts',
]

/** Tests start more processes than they do anything else. */
const setupFiles = ['test/support/vfork.ts']

/** Many tests make much garbage: with room for it from the beginning it is looked through less often. */
const execArgv = ['--min-semi-space-size=16']

const scratch = process.env['COFFERDAM_TEST_FOLDER']

/** What takes longest: begun first, in this order. */
const slowest = [
  'test/simulation/simulation.test.ts',
  'test/crash/kill.test.ts',
  'test/deploy/first-task.engine.test.ts',
  'test/e2e/agents/faults.test.ts',
  'test/e2e/agents/opencode.test.ts',
  'test/deploy/compose.engine.test.ts',
  'test/attack/walls.test.ts',
  'test/attack/crowd.test.ts',
  'test/sandbox/docker/lifecycle.engine.test.ts',
  'test/e2e/bad-input.test.ts',
  'test/e2e/repositories.test.ts',
]

/** Begins with the engine's and what takes longest, so that no worker is left alone with it when the others are at their end. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId, project }: TestSpecification): number => {
      const at = slowest.findIndex((path) => moduleId.endsWith(`/${path}`))
      return (at === -1 ? slowest.length : at) + (project.name === 'unit' ? 1000 : 0)
    }
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b))
  }
}

// Nothing is changed that outlives a file, and to import everything anew for each would take two minutes: none is isolated but
// those that are measured. `unit` and `engine` are one group, of which the engine's files are begun first, and only `alone` comes
// after it. Three files run at once, on two cores too: some of them wait, and more take from each other.
export default defineConfig({
  test: {
    tags: [
      {
        name: 'long',
        description:
          'walks a way again that another test walks: in greater numbers, or with one more of a kind',
      },
    ],
    reporters: ['default', ['json', { outputFile: '.results/tests.json' }]],
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          name: 'unit',
          isolate: false,
          setupFiles,
          execArgv,
          include: ['test/**/*.test.ts'],
          exclude: ['test/{e2e,crash,attack}/**', 'test/**/*.engine.test.ts'],
          maxWorkers: 3,
          // In memory, where test/all.sh says so: no box is made of these folders, which the engine would have to find.
          env: scratch === undefined ? {} : { TMPDIR: scratch },
          sequence: { groupOrder: 1 },
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'engine',
          isolate: false,
          setupFiles,
          execArgv,
          include: ['test/{e2e,crash,attack}/**/*.test.ts', 'test/**/*.engine.test.ts'],
          exclude: alone,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
          testTimeout: 240_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'alone',
          setupFiles,
          include: alone,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})

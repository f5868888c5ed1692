import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Tests whose assertions are about time or memory.
const alone = [
  'test/sandbox/docker/measured.engine.test.ts',
  'test/e2e/stop.test.ts',
  'test/attack/{gateway,resources}.test.ts',
]

const scratch = process.env['COFFERDAM_TEST_FOLDER']

/** What takes longest, the longest first. */
const long = [
  'test/simulation/simulation.test.ts',
  'test/crash/kill.test.ts',
  'test/e2e/agents/opencode.test.ts',
  'test/e2e/own-repository.test.ts',
  'test/e2e/bad-input.test.ts',
  'test/e2e/repositories.test.ts',
  'test/e2e/agents/gemini.test.ts',
  'test/e2e/cli.test.ts',
  'test/e2e/engine.test.ts',
  'test/sandbox/docker/lifecycle.engine.test.ts',
  'test/attack/lifecycle.test.ts',
]

/** Begins with what takes longest, so that no worker is left alone with it when the others are at their end. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = long.findIndex((path) => moduleId.endsWith(`/${path}`))
      return at === -1 ? long.length : at
    }
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b))
  }
}

// Nothing is changed that outlives a file, and to import everything anew for each would take two minutes: none is isolated but
// those that are measured. One group runs after the other, and three files of a project at once, on two cores too: many of them wait.
export default defineConfig({
  test: {
    reporters: ['default', ['json', { outputFile: '.results/tests.json' }]],
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          name: 'unit',
          isolate: false,
          include: ['test/**/*.test.ts'],
          exclude: ['test/{e2e,crash,attack}/**', 'test/**/*.engine.test.ts'],
          maxWorkers: 3,
          // In memory, where test/all.sh says so: no box is made of these folders, which the engine would have to find.
          env: scratch === undefined ? {} : { TMPDIR: scratch },
          sequence: { groupOrder: 1 },
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'engine',
          isolate: false,
          include: ['test/{e2e,crash}/**/*.test.ts', 'test/**/*.engine.test.ts'],
          exclude: alone,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
          testTimeout: 240_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'attack',
          isolate: false,
          include: ['test/attack/**/*.test.ts'],
          exclude: alone,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'alone',
          include: alone,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})

import { defineConfig } from 'vitest/config'

// Tests whose assertions are about time, or that start an engine of their own.
const alone = [
  'test/sandbox/docker/lifecycle.engine.test.ts',
  'test/e2e/{engine,interruption}.test.ts',
  'test/attack/{gateway,lifecycle,resources}.test.ts',
]

// One project after the other. What waits for the engine most of the time runs two files at once, on two cores too.
export default defineConfig({
  test: {
    reporters: ['default', ['json', { outputFile: '.results/tests.json' }]],
    projects: [
      {
        test: {
          name: 'unit',
          // Nothing is changed that outlives a file, and to import everything anew for each takes a minute and a half.
          isolate: false,
          include: ['test/**/*.test.ts'],
          exclude: ['test/{e2e,crash,attack}/**', 'test/**/*.engine.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'engine',
          include: ['test/{e2e,crash}/**/*.test.ts', 'test/**/*.engine.test.ts'],
          exclude: alone,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          testTimeout: 240_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'attack',
          include: ['test/attack/**/*.test.ts'],
          exclude: alone,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'alone',
          include: alone,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})

import { defineConfig } from 'vitest/config'

// Two projects, because the engine's tests share one Docker engine and two cores: they run one file at a time.
export default defineConfig({
  test: {
    reporters: ['default', ['json', { outputFile: '.results/tests.json' }]],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{e2e,crash,attack}/**', 'test/**/*.engine.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'engine',
          include: ['test/{e2e,crash,attack}/**/*.test.ts', 'test/**/*.engine.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})

import { describe, expect, it } from 'vitest'
import { knownRepositories } from '../../control-plane/repositories.ts'

describe('the repositories that are known', () => {
  it('are those that are configured and those that tasks were made on, each once', () => {
    const configured = {
      '/r/two': { agent: { name: 'command', argv: ['true'] }, test: 'npm test' },
      '/r/three': { setup: 'npm ci' },
    }
    const used = [
      { path: '/r/one', tasks: 2, lastTaskAt: 5 },
      { path: '/r/two', tasks: 1, lastTaskAt: 7 },
    ]
    const nothing = { agent: null, setup: null, test: null }
    expect(knownRepositories(configured, used)).toEqual([
      { path: '/r/one', configured: false, ...nothing, tasks: 2, lastTaskAt: 5 },
      { path: '/r/three', configured: true, ...nothing, setup: 'npm ci', tasks: 0, lastTaskAt: null },
      {
        path: '/r/two',
        configured: true,
        ...nothing,
        agent: 'command',
        test: 'npm test',
        tasks: 1,
        lastTaskAt: 7,
      },
    ])
  })
})

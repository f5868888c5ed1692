import { describe, expect, it } from 'vitest'
import { knownRepositories, namedRepositories } from '../../control-plane/repositories.ts'
import { requestOf } from '../support/plane.ts'

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

it('that the configuration names are those under its repositories, of channels and of schedules', () => {
  const task = requestOf({ repo: '/r/three', goal: 'Fix it', argv: ['true'] })
  const listen = [
    { channel: '1', repository: '/r/two' },
    { channel: '2', repository: null },
  ]
  const all = { repositories: { '/r/one': {} }, discord: { listen }, schedules: [{ task }] }
  expect([...namedRepositories(all)]).toEqual(['/r/one', '/r/two', '/r/three'])
  expect([...namedRepositories({ repositories: {}, discord: null, schedules: [] })]).toEqual([])
})

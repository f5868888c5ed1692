import { describe, expect, it } from 'vitest'
import { knownRepositories, namedFolders, namedRepositories } from '../../control-plane/repositories.ts'
import { requestOf } from '../support/plane.ts'

describe('the repositories that are known', () => {
  it('are those that are configured and those that tasks were made on, each once', () => {
    const configured = {
      '/r/two': { agent: { name: 'command', argv: ['true'] }, test: 'npm test' },
      '/r/three': { setup: 'npm ci' },
      shop: {},
    }
    const used = [
      { path: '/r/one', tasks: 2, lastTaskAt: 5 },
      { path: '/r/two', tasks: 1, lastTaskAt: 7 },
    ]
    const nothing = { agent: null, setup: null, test: null, remote: null }
    const state = {
      url: 'https://git.example.com/shop.git',
      state: 'cloned',
      progress: null,
      fetchedAt: 3,
      error: null,
    } as const
    const remotes = { names: ['shop'], state: () => state }
    expect(knownRepositories(configured, used, remotes)).toEqual([
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
      { path: 'shop', configured: true, ...nothing, tasks: 0, lastTaskAt: null, remote: state },
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

it('that are folders are those with a path: one by URL has its mirror in the data folder', () => {
  const all = { repositories: { '/r/one': {}, shop: {} }, discord: null, schedules: [] }
  expect(namedFolders(all)).toEqual(['/r/one'])
})

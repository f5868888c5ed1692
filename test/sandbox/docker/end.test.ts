import { describe, expect, it } from 'vitest'
import { endOf, type EndFacts } from '../../../src/sandbox/docker/end.ts'
import { aBox } from '../../support/box.ts'

const { limits } = aBox({ seconds: 60 })
const failed = (program: string, why: string): string => `cofferdam: cannot run ${program}: ${why}\n`
const processes = 'cofferdam: the limit of 512 processes was reached\n'
const memory = 'cofferdam: the limit of memory was reached\n'
const walls = 'cofferdam: the walls of the box are not as they should be: CapEff is not 0\n'
const usual: EndFacts = {
  cause: 'exit',
  exitCode: 0,
  oomKilled: false,
  ran: 1000,
  abandoned: false,
  output: 'worked\n',
  program: 'foo',
  limits,
}

describe('why a box ended', () => {
  it.each<[string, Partial<EndFacts>, string, RegExp | null]>([
    ['by itself', {}, 'exited', null],
    ['by itself, with a code', { exitCode: 1 }, 'exited', null],
    ['stopped', { cause: 'killed', exitCode: 137 }, 'killed', /stopped/],
    ['stopped while it ended', { cause: 'killed', exitCode: 0 }, 'killed', /stopped/],
    ['our deadline', { cause: 'time', exitCode: 137 }, 'time', /60 s/],
    ['its own deadline', { exitCode: 124, ran: 60_100 }, 'time', /60 s/],
    ['its own deadline, its start written down late', { exitCode: 124, ran: 59_100 }, 'time', /60 s/],
    ['a code 124 of its own, a little before', { exitCode: 124, ran: 58_900 }, 'exited', null],
    ['its own deadline, after it ignored it', { exitCode: 137, ran: 65_000 }, 'time', /60 s/],
    ['a code 124 of its own', { exitCode: 124 }, 'exited', null],
    ['a kill by somebody else', { exitCode: 137 }, 'exited', null],
    ['too little disk', { cause: 'disk', exitCode: 137 }, 'disk', /1024 MiB/],
    ['too little memory', { exitCode: 137, oomKilled: true }, 'oom', /2048 MiB/],
    ['too little memory for a child that was missed', { exitCode: 7, oomKilled: true }, 'oom', /2048/],
    ['too little memory for a child, and well after all', { oomKilled: true }, 'exited', null],
    [
      'too little memory, as the entry says',
      { exitCode: 1, output: `a\n${memory}` },
      'oom',
      /raise .*memoryMb/,
    ],
    ['the limit of processes', { exitCode: 2, output: `a\n${processes}` }, 'pids', /512 processes.*raise/],
    ['a fork bomb at its deadline', { exitCode: 124, ran: 60_100, output: processes }, 'pids', /512/],
    [
      'the limit of processes, other words behind it',
      { exitCode: 2, output: `${processes}b\n` },
      'pids',
      /512/,
    ],
    ['the limit of processes, and well after all', { output: processes }, 'exited', null],
    ['too much output', { cause: 'output', exitCode: 137 }, 'output', /6400 MiB.*raise/],
    ['a worktree that grew', { cause: 'grown', exitCode: 137 }, 'grown', /10240 MiB or 500000 files.*raise/],
    ['missing walls', { exitCode: 125, output: walls }, 'not_started', /CapEff is not 0\.$/],
    ['a code 125 of its own', { exitCode: 125, output: 'cofferdam: whatever\n' }, 'exited', null],
    ['a missing command', { exitCode: 127, output: failed('foo', 'No such file') }, 'not_started', /No such/],
    ['no program', { exitCode: 126, output: failed('foo', 'Permission denied') }, 'not_started', /denied\.$/],
    ['a missing prompt', { exitCode: 126, output: 'cofferdam: cannot read /p\n' }, 'not_started', /read \/p/],
    ['a code 127 of its own', { exitCode: 127 }, 'exited', null],
    ['a code 126 of its own, without a word', { exitCode: 126, output: '' }, 'exited', null],
    [
      'a child of its own that is missing',
      { exitCode: 127, output: failed('bar', 'No such') },
      'exited',
      null,
    ],
    ['a second try after words', { exitCode: 127, output: `a\n${failed('foo', 'No such')}` }, 'exited', null],
    ['an engine that went away', { cause: 'lost' }, 'engine', /engine went away/],
    ['an engine that was killed', { exitCode: 255, abandoned: true }, 'engine', /255/],
    ['an engine that shut down', { exitCode: 143, abandoned: true }, 'engine', /143/],
    ['by itself, unwatched', { exitCode: 3, abandoned: true }, 'exited', null],
  ])('%s', (_what, facts, end, message) => {
    const found = endOf({ ...usual, ...facts })
    expect(found.end).toBe(end)
    if (message === null) expect(found.message).toBeNull()
    else expect(found.message).toMatch(message)
  })
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { schedulesSchema } from '../../src/domain/schedule/answers.ts'
import { applies } from '../support/scripted-plane.ts'
import { type ScriptedMachine, scriptedMachine } from '../support/scripted-world.ts'

let machine: ScriptedMachine
beforeEach(() => {
  machine = scriptedMachine(applies)
})
afterEach(() => machine.remove())

const schedule = (...args: readonly string[]) => machine.run(['schedule', ...args])
const task = ['--repo', '.', '--goal', 'Mend it', '--', 'true']
const all = async () => schedulesSchema.parse(JSON.parse((await schedule('list', '--json')).out)).schedules

describe('cofferdam schedule', () => {
  it('says how one is made where there is none', async () => {
    const { code, out } = await schedule('list')
    expect([code, out]).toEqual([0, expect.stringMatching(/No schedules yet[^]*schedule add NAME --cron/)])
  })

  it('makes, shows, changes, switches and removes one', async () => {
    const made = await schedule('add', 'nightly', '--cron', '30 2 * * *', '--timezone', 'UTC', ...task)
    expect([made.code, made.out]).toEqual([
      0,
      expect.stringMatching(/^Schedule nightly is made\. Its next run/),
    ])
    expect((await schedule('list')).out).toContain('nightly')
    const shown = (await schedule('show', 'nightly')).out
    for (const row of [
      /^when +30 2 \* \* \*/m,
      /^base +main at \w{10}$/m,
      /^agent +command true$/m,
      /^setup +none$/m,
      /^test +/m,
      /^steps +8$/m,
      /^time +20m 00s$/m,
      /^Policy\n +deny +/m,
    ])
      expect(shown).toMatch(row)

    const changed = await schedule('update', 'nightly', '--every', '6h', '--disabled', ...task)
    expect([changed.code, changed.out]).toEqual([0, 'Schedule nightly is changed.\n'])
    expect((await all()).map(({ timing, enabled, revision }) => [timing.kind, enabled, revision])).toEqual([
      ['every', false, 2],
    ])
    await schedule('update', 'nightly', '--every', '7h', ...task)
    expect((await all()).map(({ enabled, revision }) => [enabled, revision])).toEqual([[false, 3]])
    expect((await schedule('enable', 'nightly')).out).toMatch(/^Schedule nightly is enabled\. Its next run/)
    expect((await schedule('disable', 'nightly')).out).toBe('Schedule nightly is disabled.\n')
    expect((await schedule('remove', 'nightly')).out).toBe('Schedule nightly is removed.\n')
    expect(await all()).toEqual([])
  })

  it('names the zone of a time where the schedule counts in another, and there alone', async () => {
    const far = await schedule('add', 'far', '--cron', '30 2 * * *', '--timezone', 'Asia/Kathmandu', ...task)
    const zoned = String.raw`\d\d:\d\d:\d\d (?:[A-Z]{2,5}|GMT[+-][\d:]+)`
    expect(far.out).toMatch(new RegExp(`planned for \\S+ ${zoned};`))
    expect((await schedule('list')).out).toMatch(new RegExp(`\\(Asia/Kathmandu\\) +\\S+ ${zoned} `))
    expect((await schedule('show', 'far')).out).toMatch(new RegExp(`^next +\\S+ ${zoned}$`, 'm'))
    const near = await schedule('add', 'near', '--cron', '30 2 * * *', ...task)
    expect(near.out).toMatch(/planned for \S+ \d\d:\d\d:\d\d;/)
  })

  it('says where nothing will run by itself, when one is made, changed, enabled or shown', async () => {
    const risky = ['--every', '6h', '--repo', '.', '--goal', 'Run sudo', '--', 'true']
    const said =
      /^Schedule nightly is \w+\. Its next run.*\nEach of its tasks waits as a DRAFT.* says "sudo"\. .*schedule update/
    expect((await schedule('add', 'nightly', ...risky)).out).toMatch(said)
    expect((await schedule('update', 'nightly', ...risky)).out).toMatch(said)
    expect((await schedule('disable', 'nightly')).out).toBe('Schedule nightly is disabled.\n')
    expect((await schedule('enable', 'nightly')).out).toMatch(said)
    expect((await schedule('show', 'nightly')).out).toContain('Each of its tasks waits as a DRAFT')
    expect((await schedule('update', 'nightly', '--every', '6h', ...task)).out).not.toContain('DRAFT')
  })

  it('runs one now, whatever the clock says', async () => {
    await schedule('add', 'nightly', '--cron', '@daily', '--disabled', ...task)
    const { code, out } = await schedule('run', 'nightly')
    expect(code).toBe(0)
    expect(out).toMatch(/^Task [a-z2-7]{10} is PENDING\./)
  })

  it.each([
    [['add', 'x', ...task], /Say when: give "cron"/],
    [['add', 'x', '--cron', '30 2 * * *', '--every', '6h', ...task], /has both "cron" and "every"/],
    [['add', 'x', '--cron', 'sometimes', ...task], /"cron" takes minute, hour/],
    [['add', 'X', '--every', '6h', ...task], /The name of a schedule is made of/],
    [['add', 'x', '--every', '6h', '--missed', 'maybe', ...task], /"missed" is skip, once or all/],
    [['update', 'other', '--every', '6h', ...task], /There is no schedule other/],
    [['show', 'other'], /There is no schedule other/],
    [['run', 'other'], /There is no schedule other/],
    [['remove', 'other'], /There is no schedule other/],
  ])('%j is refused in a sentence, and nothing is made', async (args, sentence) => {
    const { code, error } = await schedule(...args)
    expect([code, error]).toEqual([2, expect.stringMatching(sentence)])
    expect(await all()).toEqual([])
  })
})

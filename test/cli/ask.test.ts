import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { answersWith, beginStep, blocks, type Script } from '../support/scripted-plane.ts'
import { type ScriptedMachine, scriptedMachine } from '../support/scripted-world.ts'

let machine: ScriptedMachine
beforeEach(() => {
  machine = scriptedMachine(answersWith('In **a.ts**, \u001b[31mline 3\u001b[0m.'))
})
afterEach(() => machine.remove())

const idIn = (text: string): string => /Task ([a-z2-7]{10})/.exec(text)?.[1] ?? 'no id'
const ask = ['ask', 'Where is the cookie set?', '--', 'cat']

describe('ask', () => {
  it('writes the answer alone to standard output, and how it came to it to standard error', async () => {
    const { code, out, error } = await machine.run(ask)
    expect([code, out]).toEqual([0, 'In **a.ts**, line 3.\n'])
    expect(error).toContain('● Answered.')
    expect(error).toMatch(/APPLIED \(answered\) {2}The question is answered, and nothing was changed\./)
    expect(error).not.toMatch(/reading|branch|merge|line 3/)
    expect(error).toContain(`cofferdam ask --follow-up ${idIn(error)} QUESTION`)
  })

  it('shows what the agent does, and not what it says, which is the answer', async () => {
    const works: Script = async (turn) => {
      beginStep(turn)
      const progress = [
        { kind: 'said', text: 'I will look.' },
        { kind: 'tool', tool: 'read', text: '', paths: ['src/a\u001b[2J.ts'] },
        { kind: 'spent', tokens: 4711, costUsd: 0.1 },
      ] as const
      turn.output('agent', 'I will look.\n» read src/a.ts\n', progress)
      await sleep(20)
      turn.report({ type: 'agent_finished', text: 'The agent ended without a marker.' })
      turn.report({ type: 'answered', verdict: { kind: 'answer', answer: 'In a.ts.' } })
    }
    const { out, error } = await machine.run(ask, { script: works })
    expect(out).toBe('In a.ts.\n')
    expect(error.match(/^ +agent │ .*$/gm)).toEqual(['    agent │ » read src/a.ts'])
    expect(error).not.toContain('I will look')
  })

  it('writes one JSON object per line for machines', async () => {
    const { code, out, error } = await machine.run(['ask', 'Why?', '--json', '--', 'cat'])
    const lines = out
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect([code, error.includes('Answered')]).toEqual([0, false])
    expect(lines.at(-1)).toMatchObject({
      type: 'result',
      task: { kind: 'question', status: 'APPLIED', answer: 'In **a.ts**, \u001b[31mline 3\u001b[0m.' },
    })
  })

  it('is shown with its answer, listed and found by its kind', async () => {
    const { error } = await machine.run(ask)
    const id = idIn(error)
    const { out: shown } = await machine.run(['task', 'show', id])
    expect(shown).toMatch(/^Task [a-z2-7]{10} {2}APPLIED \(answered\)$/m)
    expect(shown).toMatch(/^ {2}question +Where is the cookie set\?$/m)
    expect(shown).toMatch(/^Answer:\n {2}In \*\*a\.ts\*\*, line 3\.$/m)
    expect(shown).not.toMatch(/^ {2}(branch|setup|test) /m)
    const run = ['run', '--repo', '.', '--goal', 'Mend it', '--', 'true']
    const change = idIn((await machine.run(run, { script: blocks })).out)
    const list = async (...more: readonly string[]): Promise<string> =>
      (await machine.run(['task', 'list', ...more])).out
    expect(await list()).toMatch(new RegExp(`${id} +APPLIED question `))
    expect(await list('--kind', 'question')).not.toContain(change)
    expect(await list('--kind', 'change')).toMatch(new RegExp(`${change} +BLOCKED +0`))
    expect(await list('--kind', 'change')).not.toContain(id)
    expect(await list('--kind', 'change', '--status', 'applied')).toBe('No task is meant by the options.\n')
    expect((await machine.run(['task', 'list', '--kind', 'x'])).error).toMatch(
      /--kind takes some of change, question/,
    )
    expect((await machine.run(['search', 'cookie'])).out).toContain(`${id}  APPLIED question`)
  })

  it('follows a question up, in its repository, without naming that again', async () => {
    const first = idIn((await machine.run(ask)).error)
    const { code, error } = await machine.run(['ask', 'And then?', '--follow-up', first, '--', 'cat'])
    expect(code).toBe(0)
    const { out } = await machine.run(['task', 'show', idIn(error)])
    expect(out).toMatch(new RegExp(`^ {2}follows up +${first}$`, 'm'))
    const both = await machine.run(['ask', 'And?', '--follow-up', first, '--repo', '.'])
    expect([both.code, both.error]).toEqual([2, expect.stringMatching(/leave the repository out/)])
    const none = await machine.run(['ask', 'And?', '--follow-up', 'aaaaaaaaaa'])
    expect([none.code, none.error]).toEqual([2, expect.stringMatching(/There is no task aaaaaaaaaa/)])
  })

  it('reads a long question from standard input', async () => {
    const { code, error } = await machine.run(['ask', '-', '--', 'cat'], { input: 'Why\nso?\n' })
    expect(code).toBe(0)
    expect((await machine.run(['task', 'show', idIn(error)])).out).toMatch(/question +Why\n +so\?/)
  })

  it.each<[string, Script, number]>([
    ['BLOCKED', blocks, 3],
    [
      'FAILED',
      (turn) => {
        beginStep(turn)
        turn.report({ type: 'agent_finished', text: 'It failed.' })
        turn.report({ type: 'answered', verdict: { kind: 'no_answer', text: 'It broke.' } })
      },
      4,
    ],
  ])('that ends %s prints no answer, and says what to do', async (status, script, code) => {
    const ended = await machine.run(ask, { script })
    expect([ended.code, ended.out]).toEqual([code, ''])
    expect(ended.error).toContain(status)
    expect(ended.error).toMatch(/cofferdam task resume/)
    expect(ended.error).not.toContain('cofferdam run')
  })

  it('B03 at no terminal a draft waits, --yes decides, and at a terminal it is asked', async () => {
    const risky = ['ask', 'What does sudo do here?', '--', 'cat']
    const waiting = await machine.run(risky)
    expect([waiting.code, waiting.out]).toEqual([3, ''])
    expect(waiting.error).toMatch(/cofferdam task approve/)
    expect((await machine.run([...risky.slice(0, 2), '--yes', '--', 'cat'])).out).toContain('line 3')
    expect((await machine.run(risky, { answers: ['a'] })).out).toContain('line 3')
  })

  it('is shown with its answer by whatever follows it to its end', async () => {
    const waiting = await machine.run(['ask', 'What does sudo do here?', '--', 'cat'])
    const id = idIn(waiting.error)
    expect(waiting.error).not.toContain('Answer:')
    const shown = /^APPLIED \(answered\)[^]*\nAnswer:\n {2}In \*\*a\.ts\*\*, line 3\.\n\nNext:\n/m
    const approved = (await machine.run(['task', 'approve', id, '--revision', '1'])).out
    expect(approved).toMatch(shown)
    expect(approved).toContain(
      '  question: What does sudo do here?\n  agent      command cat\n  steps      8\n  time       20m 00s\n  may reach  nothing\nThis question wants a person, because:\n',
    )
    expect((await machine.run(['task', 'watch', id])).out).toMatch(shown)
    const blocked = idIn((await machine.run(ask, { script: blocks })).error)
    expect((await machine.run(['task', 'resume', blocked, '--instruction', 'more'])).out).toMatch(shown)
  })

  it('says in its help who is asked, what a program reads, and what follows a Ctrl-C', async () => {
    const { out } = await machine.run(['ask', '--help'])
    expect(out).toMatch(/a follow-up goes to whom the question before it went to/)
    expect(out).toMatch(/it reads the prompt, which holds the\nquestion, on standard input/)
    expect(out).toMatch(/Ctrl-C stops the question; `cofferdam task resume ID` has it asked once more/)
    expect((await machine.run(['search', '--help'])).out.replaceAll(/\s+/g, ' ')).toContain('or answered')
  })

  it('explains itself where something else is meant', async () => {
    const id = idIn((await machine.run(ask)).error)
    const said = async (...args: readonly string[]): Promise<string> => (await machine.run(args)).error
    expect(await said('task', 'resume', id, '--instruction', 'more')).toContain(
      `cofferdam ask --follow-up ${id}`,
    )
    expect(await said('task', 'stop', id)).toMatch(/stop is not possible/)
    expect(await said('ask', '')).toMatch(/The question is empty/)
    expect(await said('ask', 'Why?', 'so')).toMatch(/"so" is not understood: put/)
    expect((await machine.run(['task', 'discard', id])).out).toMatch(/its answer stays on record/)
  })
})

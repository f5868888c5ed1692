import { expect, it } from 'vitest'
import { draftMessage } from '../../src/discord/messages/draft.ts'
import { nobody } from '../../src/discord/messages/message.ts'
import { aTask } from '../support/task.ts'

it('a draft shows all that is decided about: nothing is taken out of it, and nothing turned', () => {
  const hidden = '\u001b];./evil.sh;\u0007\u{e0061}'
  const agent = { name: 'command', argv: [`a\u009d${hidden}`] }
  const task = aTask({
    status: 'DRAFT',
    agent,
    goal: `goal ${hidden}`,
    setup: `npm ci ${hidden}`,
    test: hidden,
  })
  const offer = { openedAt: 0, expiresAt: 1, expired: false, choices: [] }
  const { embeds = [] } = draftMessage(task, offer, { owners: nobody, mark: 'x', attaches: false })
  const [embed] = embeds
  const shown = (name: string) => embed?.fields?.find((field) => field.name === name)?.value
  expect(embed?.description).toBe('goal ␛\\];./evil.sh;␇\ufffd')
  expect([shown('Setup'), shown('Test')]).toEqual([
    '```\nnpm ci ␛];./evil.sh;␇\ufffd\n```',
    '```\n␛];./evil.sh;␇\ufffd\n```',
  ])
  expect(shown('Agent')).toBe('```\ncommand "a\ufffd\\u001b];./evil.sh;\\u0007\ufffd"\n```')
})

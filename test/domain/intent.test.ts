import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { intentOf } from '../../src/domain/intent.ts'

const asked: readonly string[] = [
  'Please fix this bug and run tests',
  '帮我修复这个问题并跑测试',
  'fix the login page',
  'Fix the flaky test in parser.test.ts.',
  'can you add a --json flag to the list command?',
  'Could you please update the README?',
  'hey bot, please refactor the cache module',
  'Hi! Please rename getUser to findUser everywhere',
  'I want you to migrate the config to TOML',
  'We need to bump typescript to 5.6',
  "let's remove the deprecated endpoints",
  'The parser crashes on empty input. Please fix it and add a test.',
  'implement retry with back-off for the webhook sender',
  'Would you mind adding tests for src/domain/intent.ts?',
  'task: the docs about installation are out of date',
  'Task：look into the memory leak',
  'draft: do x',
  'DRAFT: do x',
  '草稿：做 x',
  '任务：看看为什么测试很慢',
  '<@1234567890> fix the build on main',
  '- add a changelog entry for 1.2',
  'Adapt the BibiGPT project',
  'Upgrade node to 22 in the Dockerfile',
  'write unit tests for the scheduler',
  'Convert all callbacks in lib/ to promises',
  'translate the error messages to Chinese',
  'run the tests and fix what fails',
  'Make the search case-insensitive',
  'help me to speed up the list query',
  '请修改登录页面的样式',
  '把 README 翻译成中文',
  '添加一个导出按钮',
  '麻烦给这个函数补充单元测试',
  '能不能帮我重构一下缓存模块？',
  '请把数据库连接改成连接池',
  '实现用户注册功能',
  '你好，请帮我升级依赖到最新版本',
  '修一下 CI 里失败的测试，好吗？',
  '解析器遇到空输入会崩溃。请修复并补上测试。',
  '优化首页加载速度',
  '删除所有没用到的导出',
]

const told: readonly string[] = [
  'hello',
  'how does the parser work?',
  '',
  '   ',
  'thanks!',
  'good morning everyone',
  'I fixed the bug yesterday',
  'The build is broken again',
  'what is the status of task abc?',
  'Why do the tests fail on main?',
  'how do I fix the login page?',
  'can you explain how the scheduler works?',
  'could you tell me which tests are slow?',
  'Is there a way to add a flag?',
  'who wrote this module?',
  'When will you fix the parser?',
  'did you update the docs?',
  "don't fix the parser yet",
  'please do not remove anything',
  'fix it',
  'test',
  'test test',
  'that makes sense',
  'make sense?',
  'lol',
  'The fix for the parser works, nice',
  'Added tests for the parser, see #12',
  'drafting plan',
  'I think we should talk about the API first',
  'look at this:\n```\nfix the parser\nadd tests\n```',
  '> please fix the parser\nno, I disagree',
  'show me the diff',
  'LGTM',
  'https://example.test/fix/the/bug',
  '你好',
  '这个解析器是怎么工作的？',
  '为什么测试失败了？',
  '我昨天修复了这个问题',
  '修好了',
  '不要修改这个文件',
  '请不要删除任何东西',
  '如何添加一个按钮？',
  '谢谢',
  '今天天气不错',
  '能不能解释一下这个函数是什么意思？',
  '测试通过了吗？',
  '构建又坏了',
]

describe('B01 what a message asks for', () => {
  test.each(asked)('work: %s', (message) => {
    expect(intentOf(message).kind).toBe('task')
  })

  test.each(told)('nothing: %s', (message) => {
    expect(intentOf(message)).toEqual({ kind: 'none' })
  })
})

test.each([
  ['<@1234567890> fix the build on main', 'fix the build on main'],
  ['  Task: look into the leak ', 'look into the leak'],
  ['草稿：做 x', '草稿：做 x'],
  ['The parser crashes. Please fix it and add a test.', 'The parser crashes. Please fix it and add a test.'],
])('the goal of %j is the whole message without its address', (message, goal) => {
  expect(intentOf(message)).toEqual({ kind: 'task', goal })
})

test('whatever is said is read in time, and a proposal has a goal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 4000 }), (message) => {
      const intent = intentOf(message)
      return intent.kind === 'none' || intent.goal.trim() !== ''
    }),
  )
  for (const long of [
    'please '.repeat(20_000),
    '请'.repeat(50_000),
    'a.'.repeat(50_000),
    '把'.repeat(50_000),
    '- '.repeat(50_000),
  ])
    expect(intentOf(long).kind).toBe('none')
})

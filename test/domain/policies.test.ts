import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compilePolicy } from '../../src/domain/matcher.ts'
import { patternProblem } from '../../src/domain/pattern-problem.ts'
import { defaultPolicy, effectivePolicy, policyHash, policyProblems } from '../../src/domain/policies.ts'
import { policyRequestSchema, type PolicyRequest } from '../../src/domain/policy-request.ts'

const request = (some: Partial<PolicyRequest>): PolicyRequest => policyRequestSchema.parse(some)
const judge = (some: Partial<PolicyRequest>, path: string): string =>
  compilePolicy(effectivePolicy(request(some), defaultPolicy)).verdict(path, false).kind

describe('a request over the defaults', () => {
  test.each<[string, Partial<PolicyRequest>, string, string]>([
    ['nothing changes nothing', {}, '.env', 'deny'],
    ['adds to deny', { deny: ['secrets/'] }, 'secrets/key', 'deny'],
    ['keeps what is denied', { deny: ['secrets/'] }, 'config.yaml', 'deny'],
    ['adds to readonly', { readonly: ['vendor'] }, 'vendor/x', 'readonly'],
    ['makes config.yaml readonly', { readonly: ['config.yaml'] }, 'config.yaml', 'readonly'],
    ['makes .env readonly', { readonly: ['.env'] }, 'a/.env', 'readonly'],
    ['and not what else .env.* denies', { readonly: ['.env'] }, '.env.local', 'deny'],
    ['makes one .env file readonly', { readonly: ['.env.test'] }, '.env.test', 'readonly'],
    ['and not the others', { readonly: ['.env.test'] }, '.env.local', 'deny'],
    ['makes all .env files readonly', { readonly: ['.env.*'] }, '.env.local', 'readonly'],
    ['cannot make .git readonly', { readonly: ['.git'] }, '.git/config', 'deny'],
    ['opens a readonly default', { open: ['AGENTS.md'] }, 'AGENTS.md', 'none'],
    [
      'opens it with a slash at the end',
      { open: ['.github/workflows/'] },
      '.github/workflows/ci.yml',
      'none',
    ],
    ['excepts a name', { except: ['.env.ci'] }, '.env.ci', 'none'],
    ['denies what is excepted by default', { deny: ['.env.example'] }, '.env.example', 'deny'],
    ['allows only', { allow: ['src/'] }, 'README.md', 'readonly'],
    ['cannot allow what is denied', { allow: ['.env'] }, '.env', 'deny'],
  ])('%s (%#)', (_name, some, path, kind) => {
    expect(judge(some, path)).toBe(kind)
  })

  test('limits are laid over one by one', () => {
    const policy = effectivePolicy(request({ limits: { pids: 64 }, onViolation: 'fail' }), defaultPolicy)
    expect(policy.limits).toEqual({ ...defaultPolicy.limits, pids: 64 })
    expect(policy.onViolation).toBe('fail')
  })

  test('no request opens .git or .workspace', () => {
    const patterns = fc.array(fc.constantFrom('.git', '**/.git', '.git/**', '.workspace', '*', '**', '.g*'), {
      maxLength: 3,
    })
    fc.assert(
      fc.property(patterns, patterns, patterns, (allow, readonly, deny) => {
        const policy = effectivePolicy(request({ allow, readonly, deny }), defaultPolicy)
        for (const path of ['.git', '.git/config', 'a/.git/HEAD', '.workspace/x'])
          expect(compilePolicy(policy).verdict(path, false).kind).toBe('deny')
      }),
    )
  })
})

describe('what cannot be had is said', () => {
  test.each<[Partial<PolicyRequest>, RegExp]>([
    [{ open: ['src'] }, /cannot open "src"/],
    [{ readonly: ['.git'] }, /cannot make "\.git" readonly/],
    [{ readonly: ['sub/config.yaml'] }, /cannot make "sub\/config\.yaml" readonly/],
  ])('%j', (some, sentence) => {
    const problems = policyProblems(request(some), defaultPolicy)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(sentence)
  })

  test('and what can be had is not', () => {
    const some = request({
      open: ['AGENTS.md', '.husky/'],
      readonly: ['config.yaml', '.env', '.env.ci', 'docs/', '/root'],
      deny: ['x'],
    })
    expect(policyProblems(some, defaultPolicy)).toEqual([])
  })
})

describe('patterns', () => {
  test.each([
    ['', 'is empty'],
    ['  ', 'is empty'],
    ['/', 'is empty'],
    ['!a', 'begins with "!"'],
    ['/etc/passwd', 'absolute'],
    ['~/.ssh', 'absolute'],
    ['C:\\x', 'absolute'],
    ['../x', '".."'],
    ['a/../b', '".."'],
    ['./a', '"."'],
    ['a//b', 'empty part'],
    ['a\0b', 'control character'],
    ['a\nb', 'control character'],
    ['a\\', 'backslash'],
    ['[ab', '"["'],
    ['a[]', '"["'],
    ['a[!]', '"["'],
    ['[a\\]', '"["'],
    ['a\\/a', 'a backslash that nothing needs'],
    ['a\\/', 'a backslash that nothing needs'],
    ['\\\\\\/a', 'a backslash that nothing needs'],
    ['secrets\\key.pem', 'write "/" between folders'],
    ['\\.env', 'a backslash that nothing needs'],
    ['[a/b]', '"/" between "[" and "]"'],
    ['x[!/]y', '"/" between "[" and "]"'],
    ['[]/]', '"/" between "[" and "]"'],
    ['[[:digit:]]', '"[:"'],
    ['[[:alpha:]', '"[:"'],
    ['[:alpha:]', '"[:"'],
    ['[A-z]', 'range'],
    ['[Z-a]', 'range'],
    ['[9-0]', 'range'],
    ['[\\]-a]', 'range'],
    ['[!+--]', 'range'],
    ['x'.repeat(1001), 'longer than'],
  ])('%j is refused', (pattern, part) => {
    expect(patternProblem(pattern)).toContain(part)
    const parsed = policyRequestSchema.safeParse({ deny: [pattern] })
    expect(parsed.error?.issues.map(({ message }) => message)).toEqual([expect.stringContaining(part)])
  })

  test.each([
    'a',
    '/a',
    '/a/',
    'a/b',
    '**/a',
    '*.pem',
    '[ab]',
    '[!]a]',
    '[]a]',
    '\\[a',
    'a\\]',
    'a\\*b',
    'a\\?',
    'a\\\\',
    'a\\\\/b',
    '\\#a',
    '\\!a',
    'a\\ ',
    '[\\]]',
    '[a\\-z]',
    '[\\^a]',
    '[-a]',
    '[!a-z0-9_-]',
    '[a-c-e]',
    '..a',
    'a..',
    '.a',
    'a b',
    '#a',
    'é',
  ])('%j is fine', (pattern) => {
    expect(patternProblem(pattern)).toBeNull()
  })

  test('an exception is a name', () => {
    expect(policyRequestSchema.safeParse({ except: ['a/b'] }).success).toBe(false)
  })

  test('all defaults are fine patterns', () => {
    const { allow, readonly, deny, except } = defaultPolicy
    expect(
      [...allow, ...readonly, ...deny, ...except].filter((pattern) => patternProblem(pattern) !== null),
    ).toEqual([])
  })
})

describe('the hash of a policy', () => {
  test('is the same whatever the order, and another for another policy', () => {
    const turned = { ...defaultPolicy, deny: defaultPolicy.deny.toReversed() }
    expect(policyHash(turned)).toBe(policyHash(defaultPolicy))
    expect(policyHash({ ...turned, deny: [...turned.deny, 'x'] })).not.toBe(policyHash(defaultPolicy))
    expect(policyHash({ ...turned, limits: { ...turned.limits, pids: 17 } })).not.toBe(
      policyHash(defaultPolicy),
    )
    expect(policyHash({ ...turned, onViolation: 'fail' })).not.toBe(policyHash(defaultPolicy))
  })
})

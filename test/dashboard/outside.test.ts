import { describe, expect, it } from 'vitest'
import { webAddress } from '../../src/dashboard/task/outside.ts'

describe('an address that somebody else gave', () => {
  it.each([
    ['https://forge.test/a/b/pull/7', 'https://forge.test/a/b/pull/7'],
    ['http://127.0.0.1:3000/7', 'http://127.0.0.1:3000/7'],
    ['javascript:alert(1)', null],
    [' JaVaScRiPt:alert(1)', null],
    ['java\nscript:alert(1)', null],
    ['data:text/html,<script>1</script>', null],
    ['//evil.test/7', null],
    ['/dashboard/', null],
    ['', null],
  ])('%j is followed as %j', (text, address) => {
    expect(webAddress(text)).toBe(address)
  })
})

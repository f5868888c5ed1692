import { expect, test } from 'vitest'
import { laidOpen } from '../../src/domain/laid-open.ts'

test.each([
  ['+ok #\r     evil()\n+b\n', '+ok #␍     evil()\n+b\n'],
  ['+a\rdiff --git a/x b/x\r@@ -1 +1 @@\r-gone\n', '+a␍diff --git a/x b/x␍@@ -1 +1 @@␍-gone\n'],
  ['+echo \u001b];./evil.sh;\u0007\n', '+echo ␛];./evil.sh;␇\n'],
  ['+a\u001b[1A\u001b[2K\b\u007f\n', '+a␛[1A␛[2K␈␡\n'],
  ['+a\u009b2J\u202eb\u2066\u2028c\n', '+a\ufffd2J\ufffdb\ufffd\ufffdc\n'],
  ['+const { a,\u3164} = b // \u{e0061}\u200b\n', '+const { a,\ufffd} = b // \ufffd\ufffd\n'],
  ['+👩‍💻 ❤️ \ufeffmi\u200cx\n', '+👩‍💻 ❤️ \ufeffmi\u200cx\n'],
  ['+a\r\n+b\r\r\n\tc\n', '+a\r\n+b␍\r\n\tc\n'],
  ['npm ci \u001b]; ./evil.sh; \u0007\r\n\tb\rc', 'npm ci ␛]; ./evil.sh; ␇\r\n\tb␍c'],
])('nothing is hidden or forged for who decides: %j is shown as %j', (text, shown) => {
  expect(laidOpen(text)).toBe(shown)
})

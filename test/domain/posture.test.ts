import { expect, test } from 'vitest'
import { isAtLeast, postureLevels, shortOf } from '../../src/domain/posture.ts'

test('a level is at least itself and what is weaker', () => {
  const accepted = postureLevels.map((level) => postureLevels.filter((least) => isAtLeast(level, least)))
  expect(accepted).toEqual([['degraded'], ['degraded', 'standard'], ['degraded', 'standard', 'strong']])
})

test('an engine that falls short is named with all that it lacks, and what to do', () => {
  const missing = [
    'no AppArmor or SELinux: one layer of the boxes is missing',
    'runc 1.1.5 has known escapes',
  ]
  expect(shortOf({ engine: 'docker 1', level: 'standard', missing, seen: {}, at: 0 }, 'strong')).toBe(
    'The policy wants an engine that is strong, and this one (docker 1) is standard: no AppArmor or SELinux: one layer ' +
      'of the boxes is missing; runc 1.1.5 has known escapes. Mend it and resume, or start a new task with ' +
      'policy.posture: standard in cofferdam.yaml.',
  )
})

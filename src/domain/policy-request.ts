import { z } from 'zod'
import { hostProblem } from './host-rule.ts'
import { patternProblem } from './pattern-problem.ts'
import { postureLevels } from './posture.ts'

const pattern = z.string().superRefine((text, context) => {
  const problem = patternProblem(text)
  if (problem !== null)
    context.addIssue({ code: 'custom', message: `The pattern ${JSON.stringify(text)} ${problem}.` })
})
const patterns = z
  .array(pattern)
  .max(500, 'A list of more than 500 patterns is too long: use fewer, wider ones.')
const name = pattern.refine((text) => !text.includes('/'), {
  error: 'An exception is the name of a file without "/", such as ".env.example".',
})

const host = z.string().superRefine((text, context) => {
  const problem = hostProblem(text)
  if (problem !== null)
    context.addIssue({ code: 'custom', message: `The host ${JSON.stringify(text)} ${problem}.` })
})

const whole = (least: number, most: number): z.ZodNumber =>
  z.number().int('A limit is a whole number.').min(least).max(most)

const limits = z
  .strictObject({
    memoryMb: whole(64, 1_048_576),
    cpus: z.number().min(0.1).max(1024),
    pids: whole(16, 1_000_000),
    openFiles: whole(64, 1_048_576),
    fileMb: whole(1, 1_048_576),
    tmpMb: whole(1, 1_048_576),
    outputMb: whole(1, 1024),
    worktreeMb: whole(1, 1_048_576),
    worktreeFiles: whole(100, 2_000_000),
    upMb: whole(1, 1_048_576),
    downMb: whole(1, 1_048_576),
    connections: whole(1, 4096),
    // Where boxes may fill the disk, nobody can write what became of them.
    diskFreeMb: whole(64, 1_048_576),
    testSeconds: whole(1, 86_400),
    setupSeconds: whole(1, 86_400),
  })
  .partial()

/** What a configuration or a task may say about the policy; it changes the defaults, it does not replace them. */
export const policyRequestSchema = z.strictObject({
  /** When given, everything it does not match is readonly. */
  allow: patterns.default([]),
  /** Added to the defaults. `config.yaml` and names of `.env` files listed here are no longer denied. */
  readonly: patterns.default([]),
  deny: patterns.default([]),
  /** Names that deny patterns do not mean. */
  except: z.array(name).max(500).default([]),
  /** Default readonly patterns that this policy opens for writing, as they are written there. */
  open: patterns.default([]),
  onViolation: z.enum(['retry', 'fail']).optional(),
  /** Hosts that agent boxes may open tunnels to; added to those that are allowed already. */
  egress: z.array(host).max(100, 'A list of more than 100 hosts is too long.').default([]),
  /** Upstreams of the configuration that the boxes of the agent `command` get. */
  upstreams: z
    .array(z.string().regex(/^[a-z][a-z0-9-]{0,30}$/))
    .max(20)
    .default([]),
  posture: z.enum(postureLevels).optional(),
  limits: limits.default({}),
})
export type PolicyRequest = z.output<typeof policyRequestSchema>

import { z } from 'zod'
import { budgetRequestSchema } from '../domain/intake.ts'
import { policyRequestSchema } from '../domain/policy-request.ts'

const path = z.string('A path is text.').min(1, 'A path is empty: name one or remove the key.')
const command = z
  .string('A command is text that a shell runs.')
  .trim()
  .min(1, 'A command is empty: remove the key.')
const agent = z.strictObject({
  name: z.string('An agent has a name, such as "command".').min(1),
  argv: z.array(z.string('An argument is text: put it in quotes.')).default([]),
})
const id = z
  .int('A user or group id is a whole number.')
  .min(1, 'Boxes do not run as root: give another id.')
  .max(2 ** 31)

/** `cofferdam.yaml`; every key may be left out. */
export const configSchema = z.strictObject({
  /** The data folder. */
  data: path.optional(),
  /** The folder for sockets; has to be short. */
  runtime: path.optional(),
  engine: z
    .strictObject({
      /** The unix socket of the Docker engine. */
      socket: path.optional(),
      /** The tag of the sandbox image. */
      image: z.string().min(1).optional(),
    })
    .default({}),
  /** Whom boxes run as and worktrees belong to; only where the control plane is root. */
  box: z.strictObject({ uid: id.optional(), gid: id.optional() }).default({}),
  /** How many tasks run at once. */
  concurrency: z
    .int('"concurrency" is a whole number.')
    .min(1, '"concurrency" is at least 1.')
    .max(64, '"concurrency" is at most 64.')
    .default(2),
  /** Defaults for every task. */
  task: budgetRequestSchema.extend({ agent: agent.optional() }).default({}),
  policy: policyRequestSchema.optional(),
  /** By path of a repository: what holds for tasks on it. */
  repositories: z
    .record(
      path,
      z.strictObject({
        agent: agent.optional(),
        setup: command.optional(),
        test: command.optional(),
        policy: policyRequestSchema.optional(),
      }),
    )
    .default({}),
  /** Of the commits on a task's branch. */
  author: z
    .strictObject({
      name: z
        .string()
        .regex(/^[^<>\p{Cc}]+$/u, 'The author needs a name without "<", ">" and line ends.')
        .optional(),
      email: z
        .string()
        .regex(/^[^<>\s\p{Cc}]+$/u, 'The author needs an e-mail address without spaces.')
        .optional(),
    })
    .default({}),
  log: z
    .strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') })
    .prefault({}),
})
export type ConfigFile = z.output<typeof configSchema>

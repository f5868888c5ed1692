import { z } from 'zod'
import { budgetRequestSchema } from '../domain/intake.ts'
import { imageAgents } from '../domain/image.ts'
import { usualRates } from '../domain/listen.ts'
import { newsTypes } from '../domain/outbox/news.ts'
import { outsideNetworks } from '../domain/outside.ts'
import { policyRequestSchema } from '../domain/policy-request.ts'
import { configuredScheduleSchema, scheduleName } from '../domain/schedule/request.ts'
import { remoteFields } from './remote-fields.ts'
import { deliverySchema } from './delivery.ts'
import { secretPlaceSchema } from './secrets.ts'

const path = z.string('A path is text.').min(1, 'A path is empty: name one or remove the key.')
const command = z
  .string('A command is text that a shell runs.')
  .trim()
  .min(1, 'A command is empty: remove the key.')
const agentNames = ['command', ...imageAgents] as const
const agentName = z.enum(agentNames, `An agent is one of ${agentNames.join(', ')}.`)
const agent = z.strictObject({
  name: agentName,
  argv: z.array(z.string('An argument is text: put it in quotes.')).default([]),
  /** Agents that take its place, in this order, where its provider does not let it work. */
  fallback: z.array(agentName).optional(),
})
const model = z
  .string('A model is a name, such as "claude-sonnet-4-6".')
  .regex(/^[A-Za-z0-9][\w.:/@[\]-]{0,99}$/, 'A model is a name, such as "claude-sonnet-4-6".')
  .optional()
const upstream = z
  .enum(
    ['anthropic', 'openai', 'gemini', 'openai-compatible'],
    'The upstream of an agent is one of anthropic, openai, gemini, openai-compatible.',
  )
  .optional()
const ofOne = z.strictObject({ model }).optional()
const ofAny = z
  .strictObject({ model, upstream })
  .refine((said) => said.upstream !== 'openai-compatible' || said.model !== undefined, {
    error: 'A server of your own has models of its own: name one as "model".',
  })
  .optional()
const id = z
  .int('A user or group id is a whole number.')
  .min(1, 'Boxes do not run as root: give another id.')
  .max(2 ** 31)

const days = z.union(
  [z.int().min(1).max(36_500), z.literal('never')],
  'This is a whole number of days, at least 1, or "never" for what is not removed by age.',
)

const usd = z.number('A price is a number of US dollars for a million tokens.').min(0)
const price = z.strictObject({
  input: usd,
  output: usd,
  /** Of what is read from the provider's cache and written to it; `input` and 1.25 times that where they are not named. */
  cacheRead: usd.optional(),
  cacheWrite: usd.optional(),
  /** The most output that the model gives. */
  maxOutput: z.int('"maxOutput" is a whole number of tokens.').min(1).optional(),
})

const perMinute = z.int('A rate is a whole number of requests in a minute.').min(1)

/** The API over TCP; without this key there is only the control socket. */
const http = z.strictObject({
  /** An address with a port, or a port of 127.0.0.1. */
  listen: z
    .union(
      [z.int().min(0).max(65_535), z.string()],
      'This is an address with a port, such as 127.0.0.1:7878.',
    )
    .default('127.0.0.1:7878'),
  /** The names under which it is asked for. */
  hosts: z
    .array(z.string().regex(/^[\w.-]+$/, 'A host is a name such as cofferdam.example.com, without a port.'))
    .default([]),
  tls: z.strictObject({ cert: path, key: path }).optional(),
  /** A proxy in front of it does TLS. */
  proxyTls: z.boolean().default(false),
  /** Requests of one token that change nothing, and that are to change something; failures of one address. */
  perMinute: z
    .strictObject({
      reads: perMinute.default(usualRates.reads),
      calls: perMinute.default(usualRates.calls),
      failures: perMinute.default(usualRates.failures),
    })
    .prefault({}),
})

const snowflake = z
  .string('An id of Discord is text: put it in quotes.')
  .regex(
    /^\d{15,21}$/,
    'An id of Discord is a long number in quotes, as "Copy ID" gives it in developer mode.',
  )
const members = z
  .array(
    z
      .string('An id of Discord is text: put it in quotes.')
      .regex(/^(?:role:)?\d{15,21}$/, 'This is the id of a user, or "role:" and that of a role, in quotes.'),
  )
  .default([])

/** The front end on Discord; without this key there is none. */
const discord = z.strictObject({
  token: secretPlaceSchema.default({ env: 'DISCORD_TOKEN' }),
  guild: snowflake,
  /** Where the status messages stand. */
  channel: snowflake,
  owners: members,
  operators: members,
  viewers: members,
  /** Channels in which a plain message may ask for work, with the repository that is meant there. */
  listen: z.record(snowflake, z.strictObject({ repository: path.optional() })).default({}),
})

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
      /** The tag of somebody else's image, instead of those that `image` is about. */
      image: z.string().min(1).optional(),
      /** The runtime of boxes, by the engine's name for it (runsc, kata); its own default where none is named. */
      runtime: z
        .string()
        .regex(/^[\w.-]+$/, 'A runtime is a name such as "runsc".')
        .optional(),
    })
    .default({}),
  /** What `cofferdam image build` builds. */
  image: z
    .strictObject({
      /** The agents that are in it. */
      agents: z
        .array(z.enum(imageAgents, `An agent of the image is one of ${imageAgents.join(', ')}.`))
        .default([]),
      /** Of the operator: what more is done to it. */
      dockerfile: path.optional(),
    })
    .prefault({}),
  /** What all boxes together may be given, MiB: a task waits in the queue until there is room for it. */
  total: z.strictObject({ memoryMb: z.int().min(64).optional() }).default({}),
  /** What agents ask: their own model where nothing is said. */
  agents: z
    .strictObject({ claude: ofOne, codex: ofOne, gemini: ofOne, opencode: ofAny, pi: ofAny })
    .default({}),
  /** Model providers, by the name of their adapter. */
  upstreams: z
    .record(
      z.string(),
      z.strictObject({
        key: secretPlaceSchema.optional(),
        /** Another address for it, such as a model server of your own. */
        origin: z
          .url({ protocol: /^https?$/, error: 'An origin is an address such as https://host.' })
          .optional(),
        /** Of "openai-compatible": also over plain HTTP to another machine. */
        plainHttp: z.boolean().default(false),
      }),
    )
    .default({}),
  prices: z
    .strictObject({
      /** The day that the prices are of. */
      asOf: z.iso.date('"asOf" is a day such as "2026-01-31", in quotes.'),
      /** By the name of a model, or its beginning and `*`; the longest that fits counts. */
      models: z.record(z.string().min(1), price),
    })
    .optional(),
  /** Values that must not leave a box, nor stand in what it prints; the keys of upstreams are among them by themselves. */
  secrets: z
    .record(
      z
        .string()
        .regex(
          /^[\w.-]{1,64}$/,
          'A secret has a name of letters, digits, ".", "_" and "-", at most 64 characters.',
        ),
      secretPlaceSchema,
    )
    .default({}),
  /** Who is told over HTTP of what happens to tasks, by name. */
  webhooks: z
    .record(
      z
        .string()
        .regex(
          /^[a-z0-9][a-z0-9-]{0,31}$/,
          'A webhook has a name of a-z, 0-9 and "-", at most 32 characters.',
        ),
      z.strictObject({
        url: z.url({ protocol: /^https?$/, error: 'A webhook has an address such as https://host/path.' }),
        secret: secretPlaceSchema,
        /** The one before it, while receivers change over: both sign. */
        previous: secretPlaceSchema.optional(),
        events: z
          .array(z.enum(newsTypes, `An event of a webhook is one of ${newsTypes.join(', ')}.`))
          .min(1, 'A webhook without events is told nothing: name some, or remove the key.')
          .optional(),
        network: z
          .enum(outsideNetworks, `"network" is one of ${outsideNetworks.join(', ')}.`)
          .default('public'),
      }),
    )
    .default({}),
  /** Whom boxes run as and worktrees belong to; only where the control plane is root. */
  box: z.strictObject({ uid: id.optional(), gid: id.optional() }).default({}),
  http: http.optional(),
  /** The front end on Discord. */
  discord: discord.optional(),
  /** How many tasks run at once. */
  concurrency: z
    .int('"concurrency" is a whole number.')
    .min(1, '"concurrency" is at least 1.')
    .max(64, '"concurrency" is at most 64.')
    .default(2),
  /** Defaults for every task. */
  task: budgetRequestSchema.extend({ agent: agent.optional() }).default({}),
  /** Who answers questions: who works on tasks where nobody is named, if that one has a model. */
  ask: z.strictObject({ agent: agent.optional() }).default({}),
  policy: policyRequestSchema.optional(),
  /** By the path of a repository, or by the name of one that has a URL: what holds for tasks on it. */
  repositories: z
    .record(
      path,
      z.strictObject({
        ...remoteFields,
        agent: agent.optional(),
        setup: command.optional(),
        test: command.optional(),
        policy: policyRequestSchema.optional(),
        budget: budgetRequestSchema.optional(),
        image: z.strictObject({ dockerfile: path }).optional(),
        /** What becomes of a task's work where nobody says otherwise. */
        delivery: deliverySchema.optional(),
      }),
    )
    .default({}),
  /** Tasks that are made by the clock, by the name of their schedule. */
  schedules: z.record(scheduleName, configuredScheduleSchema).default({}),
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
  attestation: z
    .strictObject({
      /** The private key that attestations are signed with; outside the data folder it may be kept apart from the data. */
      key: path.optional(),
    })
    .default({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
      /** Of one file of the log. */
      mb: z.int('"log.mb" is a whole number of MiB.').min(1, '"log.mb" is at least 1.').max(1024).default(10),
      /** With the one that is written to. */
      files: z.int('"log.files" is a whole number.').min(1, '"log.files" is at least 1.').max(100).default(5),
    })
    .prefault({}),
  /** For how many days what a task has left is kept after the last that happened to it. */
  keep: z
    .strictObject({
      worktrees: days.default(7),
      output: days.default(90),
      undelivered: days.default('never'),
      audit: days.default(365),
    })
    .prefault({}),
})
export type ConfigFile = z.output<typeof configSchema>

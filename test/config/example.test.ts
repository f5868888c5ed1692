import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type Config, loadConfig } from '../../src/config/load.ts'
import { configSchema } from '../../src/config/schema.ts'
import { descriptionsIn } from '../../src/config/json-schema.ts'
import { newsTypes, usualNews } from '../../src/domain/outbox/news.ts'
import { around, scratch } from './support.ts'

const example = readFileSync(new URL('../../deploy/cofferdam.example.yaml', import.meta.url), 'utf8')
/** With every setting in force. */
const uncommented = example.replaceAll(/^# /gm, '')

/** What root is told by a configuration; null: by none. */
function loaded(text: string | null): Config {
  const home = scratch()
  const folder = join(home, '.config/cofferdam')
  mkdirSync(folder, { recursive: true })
  if (text !== null) writeFileSync(join(folder, 'cofferdam.yaml'), text)
  return loadConfig({}, around(home, { uid: 0, gid: 0 }))
}

/** What is keyed by names that are not ours. */
const named = new Set([
  'schedules.',
  'schedules.*.task.',
  'repositories.',
  'upstreams.',
  'webhooks.',
  'discord.listen.',
  'prices.models.',
  'secrets.',
])

/** The names of all settings of a JSON schema, dotted; a name that is not ours stands as `*`. */
function namesIn(schema: z.core.JSONSchema.BaseSchema, before = ''): readonly string[] {
  const { properties = {}, additionalProperties: any } = schema
  const entries = [...Object.entries(properties), ...(typeof any === 'object' ? [['*', any] as const] : [])]
  return entries.flatMap(([name, inner]) => [
    before + name,
    ...(typeof inner === 'object' ? namesIn(inner, `${before}${name}.`) : []),
  ])
}

function namesOf(value: unknown, before = ''): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const name = named.has(before) ? '*' : key
    return [before + name, ...namesOf(inner, `${before}${name}.`)]
  })
}

test('the example as it stands says nothing', () => {
  const { concurrency, tasks, box, engine, repositories, author, logLevel } = loaded(null)
  expect(loaded(example)).toMatchObject({ concurrency, tasks, box, engine, repositories, author, logLevel })
  expect(loaded(example).file).toMatch(/cofferdam\.yaml$/)
})

test('every line of the example is a setting or a remark', () => {
  expect(example.split('\n').filter((line) => !/^(?:## .*|# +[\w~/*-]+:(?: .*)?|)$/.test(line))).toEqual([])
})

test('its settings are those that there are', () => {
  // That of a repository is explained once, at the top.
  const policyOfRepository = /^repositories\.\*\.policy\./
  const there = namesIn(z.toJSONSchema(configSchema, { io: 'input' }))
  expect(there).toContain('policy.limits.setupSeconds')
  expect(there.filter((name) => name.includes('_'))).toEqual([])
  const shown = namesOf(parse(uncommented)).filter(
    // A secret's place is one of two things, which the schema does not name.
    (name) => !policyOfRepository.test(name) && !/\.(?:env|file)$/.test(name),
  )
  // There is one for each way to say when.
  expect([...new Set(shown)].toSorted()).toEqual(
    there.filter((name) => !policyOfRepository.test(name)).toSorted(),
  )
})

test('its settings can be used, and those with a default have it', () => {
  const config = loaded(uncommented)
  const usual = loaded(null)
  expect(config.tasks.budget).toEqual({ ...usual.tasks.budget, tokens: 2_000_000, costUsd: 5 })
  expect(config.tasks.policy).toMatchObject({ limits: usual.tasks.policy.limits, onViolation: 'retry' })
  expect(config.engine.socket).toBe(usual.engine.socket)
  expect(config).toMatchObject({
    box: usual.box,
    concurrency: usual.concurrency,
    author: usual.author,
    logLevel: usual.logLevel,
    repositories: { [Object.keys(config.repositories)[0] ?? '']: { setup: 'npm ci', test: 'npm test' } },
  })
})

test('it has each event that a webhook can be told, and those that it is told where nothing is said', () => {
  const said = descriptionsIn(example).get('webhooks.ci.events') ?? ''
  const [, list = '', without = ''] = /before it\. (.*)\. Default: all but (.*)\.$/.exec(said) ?? []
  const names = list.replaceAll(/Of [\w ]+:|\(.*?\)/g, '').match(/\w+/g)
  expect(names?.map((name) => `task.${name}`)).toEqual(newsTypes)
  const unusual = newsTypes.filter((type) => !usualNews.includes(type))
  expect(without.split(/, | and /).map((name) => `task.${name}`)).toEqual(unusual)
})

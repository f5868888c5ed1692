import { ThreadAutoArchiveDuration } from 'discord-api-types/v10'
import { z } from 'zod'
import { invalidForm } from './refusal.ts'

// What Discord takes, with its limits (its reference: "Create Message", "Component Object Limits", "Application Command
// Object"). Lengths are counted in characters as Discord counts them, which is by UTF-16 unit.

/** The value as it is taken; refused with 50035 where it does not fit. */
export function fit<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw invalidForm(parsed.error.issues)
  return parsed.data
}

const snowflake = z.string().regex(/^\d{15,21}$/)
const text = (most: number) => z.string().min(1).max(most)

const embed = z.looseObject({
  title: z.string().max(256).optional(),
  description: z.string().max(4096).optional(),
  url: z.string().optional(),
  color: z.number().int().min(0).max(0xffffff).nullish(),
  footer: z.looseObject({ text: text(2048) }).nullish(),
  author: z.looseObject({ name: text(256) }).nullish(),
  fields: z
    .array(z.looseObject({ name: text(256), value: text(1024) }))
    .max(25)
    .optional(),
})

type Embed = z.infer<typeof embed>

function lettersOf({ title, description, footer, author, fields }: Embed): number {
  const parts = [
    title,
    description,
    footer?.text,
    author?.name,
    ...(fields ?? []).flatMap((f) => [f.name, f.value]),
  ]
  return parts.reduce((sum, part) => sum + (part?.length ?? 0), 0)
}

const embeds = z
  .array(embed)
  .max(10)
  .refine((all) => all.reduce((sum, each) => sum + lettersOf(each), 0) <= 6000, {
    message: 'Embed size exceeds maximum size of 6000',
  })

const emoji = z.looseObject({ name: z.string().optional(), id: snowflake.nullish() })

const button = z
  .looseObject({
    type: z.literal(2),
    style: z.number().int().min(1).max(6),
    label: z.string().max(80).optional(),
    emoji: emoji.optional(),
    custom_id: text(100).optional(),
    url: z.string().max(512).optional(),
    disabled: z.boolean().optional(),
  })
  .refine((one) => (one.style === 5 ? one.url !== undefined : one.custom_id !== undefined), {
    message: 'A button has a custom_id, or a url where it is a link',
  })
  .refine((one) => one.label !== undefined || one.emoji !== undefined, { message: 'A button has a label' })

const select = z.looseObject({
  type: z.literal(3),
  custom_id: text(100),
  placeholder: z.string().max(150).optional(),
  options: z
    .array(z.looseObject({ label: text(100), value: text(100), description: z.string().max(100).optional() }))
    .min(1)
    .max(25),
})

const row = z.looseObject({
  type: z.literal(1),
  components: z
    .array(z.union([button, select]))
    .min(1)
    .max(5)
    .refine((all) => all.length === 1 || all.every(({ type }) => type === 2), {
      message: 'A select takes a whole row',
    }),
})

const components = z
  .array(row)
  .max(5)
  .refine(
    (rows) => {
      const ids = rows.flatMap((each) => each.components.flatMap((one) => one.custom_id ?? []))
      return new Set(ids).size === ids.length
    },
    { message: 'Component custom id cannot be duplicated' },
  )

const allowedMentions = z
  .object({
    parse: z.array(z.enum(['users', 'roles', 'everyone'])).optional(),
    users: z.array(snowflake).max(100).optional(),
    roles: z.array(snowflake).max(100).optional(),
    replied_user: z.boolean().optional(),
  })
  .refine((one) => !(one.parse?.includes('users') === true && (one.users?.length ?? 0) > 0), {
    message: 'parse:["users"] and users: [ids...] are mutually exclusive.',
  })

const message = z.object({
  content: z.string().max(2000).nullish(),
  tts: z.boolean().optional(),
  embeds: embeds.nullish(),
  components: components.nullish(),
  allowed_mentions: allowedMentions.nullish(),
  flags: z.number().int().nullish(),
  attachments: z.array(z.looseObject({ id: z.union([z.string(), z.number()]) })).nullish(),
  nonce: z.union([text(25), z.number()]).optional(),
  enforce_nonce: z.boolean().optional(),
  message_reference: z
    .looseObject({ message_id: snowflake, fail_if_not_exists: z.boolean().optional() })
    .optional(),
  sticker_ids: z.array(z.unknown()).optional(),
  poll: z.null().optional(),
})

export const newMessage = message
export const changedMessage = message.omit({ nonce: true, enforce_nonce: true, message_reference: true })
export type MessageBody = z.infer<typeof message>

const archiveAfter = z.enum(ThreadAutoArchiveDuration)
export const newThread = z.looseObject({
  name: text(100),
  auto_archive_duration: archiveAfter.optional(),
  type: z.number().int().optional(),
})
export const changedThread = z.looseObject({
  name: text(100).optional(),
  archived: z.boolean().optional(),
  locked: z.boolean().optional(),
  auto_archive_duration: archiveAfter.optional(),
})

const choice = z.looseObject({ name: text(100), value: z.union([z.string().max(100), z.number()]) })
const option = z
  .looseObject({
    type: z.number().int().min(3).max(11),
    name: z.string().regex(/^[-_'\p{L}\p{N}]{1,32}$/u),
    description: text(100),
    required: z.boolean().optional(),
    choices: z.array(choice).max(25).optional(),
    autocomplete: z.boolean().optional(),
    min_value: z.number().optional(),
    max_value: z.number().optional(),
    min_length: z.number().int().min(0).max(6000).optional(),
    max_length: z.number().int().min(1).max(6000).optional(),
  })
  .refine((one) => !(one.autocomplete === true && (one.choices?.length ?? 0) > 0), {
    message: 'Autocomplete and choices exclude each other',
  })

const command = z.looseObject({
  name: z.string().regex(/^[-_'\p{L}\p{N}]{1,32}$/u),
  description: text(100),
  type: z.literal(1).optional(),
  default_member_permissions: z.string().nullish(),
  options: z
    .array(option)
    .max(25)
    .refine(
      (all) =>
        all.every(
          ({ required }, at) => required !== true || all.slice(0, at).every((one) => one.required === true),
        ),
      { message: 'Required options must be placed before non-required options' },
    )
    .optional(),
})

export const commands = z
  .array(command)
  .max(100)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, {
    message: 'Application command names must be unique',
  })
export const oneCommand = command
export type CommandBody = z.infer<typeof command>

const textInput = z.looseObject({
  type: z.literal(4),
  custom_id: text(100),
  style: z.union([z.literal(1), z.literal(2)]),
  label: text(45).optional(),
  min_length: z.number().int().min(0).max(4000).optional(),
  max_length: z.number().int().min(1).max(4000).optional(),
  required: z.boolean().optional(),
  value: z.string().max(4000).optional(),
  placeholder: z.string().max(100).optional(),
})

export const modal = z.looseObject({
  custom_id: text(100),
  title: text(45),
  components: z
    .array(
      z.union([
        z.looseObject({ type: z.literal(1), components: z.array(textInput).length(1) }),
        z.looseObject({ type: z.literal(18), label: text(45), component: textInput }),
      ]),
    )
    .min(1)
    .max(5),
})
export type ModalBody = z.infer<typeof modal>

const choices = z.object({ choices: z.array(choice).max(25) })
export type Choice = z.infer<typeof choice>

export const callback = z.discriminatedUnion('type', [
  z.object({ type: z.literal(4), data: message }),
  z.object({ type: z.literal(5), data: z.looseObject({ flags: z.number().int().optional() }).nullish() }),
  z.object({ type: z.literal(6), data: z.unknown().optional() }),
  z.object({ type: z.literal(7), data: changedMessage }),
  z.object({ type: z.literal(8), data: choices }),
  z.object({ type: z.literal(9), data: modal }),
])
export type Callback = z.infer<typeof callback>

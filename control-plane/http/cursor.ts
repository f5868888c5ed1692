import { z } from 'zod'
import { parseTaskId } from '../../src/domain/ids.ts'
import type { Task } from '../../src/domain/task.ts'

type Place = Pick<Task, 'id' | 'createdAt'>

/** Where a page ends. Clients hand it back as it is. */
export const cursorOf = ({ createdAt, id }: Place): string =>
  Buffer.from(`${createdAt}.${id}`).toString('base64url')

const wrong = 'takes "next" of the answer before, as it is'
const description = '`next` of the answer before, as it is.'

/** Where a page ends in a list whose rows have numbers. */
export const numberCursor = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, wrong)
  .exactOptional()
  .meta({ description })

export const cursor = z
  .string()
  .transform((text, context): Place => {
    const [, at, name = ''] = /^(\d{1,15})\.(.*)$/.exec(Buffer.from(text, 'base64url').toString()) ?? []
    const id = parseTaskId(name)
    if (at !== undefined && id !== null) return { createdAt: Number(at), id }
    context.addIssue({ code: 'custom', message: wrong })
    return z.NEVER
  })
  .exactOptional()
  .meta({ type: 'string', description })

import { bodies, type Api, type Body, id, isBody, pieces, type Said, text } from './api.ts'
import type { Item, Offered, Schema } from './script.ts'

const errors = {
  'rate limit': [429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota.'],
  overload: [503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'],
  'server error': [500, 'INTERNAL', 'An internal error has occurred.'],
  auth: [401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.'],
  context: [
    400,
    'INVALID_ARGUMENT',
    'The input token count exceeds the maximum number of tokens allowed (1048576).',
  ],
} as const

/** Gemini's generateContent, whole and streamed. */
export const gemini: Api = {
  name: 'gemini',
  path: /^\/v1(?:beta|alpha)?\/models\/[^/:]+:(?:generateContent|streamGenerateContent)$/,
  read: (body, path) => ({
    api: 'gemini',
    model: /models\/([^:]+):/.exec(path)?.[1] ?? '',
    stream: path.endsWith(':streamGenerateContent'),
    tools: bodies(body['tools']).flatMap(({ functionDeclarations }) =>
      bodies(functionDeclarations).map((tool): Offered => ({
        name: text(tool['name']),
        schema: schemaOf(tool),
        kind: 'function',
      })),
    ),
    items: bodies(body['contents']).flatMap(itemsOf),
    round: bodies(body['contents']).filter(({ role }) => role === 'model').length,
  }),
  document: (said) => chunk(said, [...said.texts.map((each) => ({ text: each })), ...callParts(said)], true),
  events: (said) => [
    ...said.texts.flatMap(pieces).map((each) => ({ data: chunk(said, [{ text: each }], false) })),
    ...callParts(said).map((part) => ({ data: chunk(said, [part], false) })),
    { data: chunk(said, [{ text: '' }], true) },
  ],
  error(kind) {
    const [code, status, message] = errors[kind]
    return { status: code, body: { error: { code, message, status } } }
  },
}

function schemaOf(tool: Body): Schema {
  return tool['parameters'] ?? tool['parametersJsonSchema'] ?? {}
}

function itemsOf({ role, parts }: Body): readonly Item[] {
  return bodies(parts).map((part): Item => {
    if (isBody(part['functionCall']))
      return { by: 'call', text: JSON.stringify(part['functionCall']['args']) }
    if (isBody(part['functionResponse']))
      return { by: 'result', text: JSON.stringify(part['functionResponse']['response']) }
    return { by: role === 'model' ? 'model' : 'user', text: text(part['text']) }
  })
}

function callParts({ calls, n, isMalformed }: Said): readonly object[] {
  return calls.map(({ tool, input }, at) => ({
    functionCall: { id: id('call_', n, at), name: tool.name, args: isMalformed ? { malformed: 7 } : input },
  }))
}

function chunk({ conversation, told, n }: Said, parts: readonly object[], isLast: boolean): object {
  // The answer's part grows from chunk to chunk; the whole is in the last one.
  const output = isLast ? told.output : Math.min(1, told.output)
  const prompt = told.input + told.cached + told.cacheWrite
  return {
    candidates: [
      { content: { role: 'model', parts }, index: 0, ...(isLast ? { finishReason: 'STOP' } : {}) },
    ],
    usageMetadata: {
      promptTokenCount: prompt,
      candidatesTokenCount: output,
      totalTokenCount: prompt + output + told.reasoning,
      ...(told.cached > 0 ? { cachedContentTokenCount: told.cached } : {}),
      ...(told.reasoning > 0 ? { thoughtsTokenCount: told.reasoning } : {}),
    },
    modelVersion: conversation.model,
    responseId: id('resp', n),
  }
}

/** The end of a text, at most so many bytes, without half a character. */
export function lastOf(text: string, bytes: number): string {
  const buffer = Buffer.from(text)
  if (buffer.length <= bytes) return text
  let start = buffer.length - bytes
  while (((buffer[start] ?? 0) & 0xc0) === 0x80) start += 1
  return buffer.toString('utf8', start)
}

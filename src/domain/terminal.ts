const colours = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;?]*[A-Za-z]`, 'g')

/** Text without a terminal's control sequences for colours and cursor. */
export function withoutColours(text: string): string {
  return text.replaceAll(colours, '')
}

const colours = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;?]*[A-Za-z]`, 'g')

/** Text without a terminal's control sequences for colours and cursor. */
export function withoutColours(text: string): string {
  return text.replaceAll(colours, '')
}

// Control characters but for tab and newline, and the marks that turn the direction of what is read.
const unseen = /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu

/** Text of which nothing is taken out wherever it is shown. */
export function visible(text: string): string {
  return withoutColours(text)
    .replaceAll(/\r+\n?/g, '\n')
    .replaceAll(unseen, '')
}

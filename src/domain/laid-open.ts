/**
 * What a terminal obeys, but for the usual ends of lines, what ends a line for one program and not for another, and what
 * nobody sees, but for what joins letters and pictures. Agents read the last, and languages take it for a name.
 */
const hiding =
  /(?!\n|\t|\r\n|[\u200c-\u200d]|[\ufe00-\ufe0f]|\ufeff)[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu

/**
 * What somebody decides about, made safe to look at. Nothing of it is taken out, and no line made that is none: there is a sign
 * in the place of each character that would have hidden or forged something.
 */
export function laidOpen(text: string): string {
  return text.replaceAll(hiding, signOf)
}

function signOf(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  return code === 0x7f ? '\u2421' : '\ufffd'
}

// A text as the word rules read it, so that spelling is no way round a rule: one case, plain letters, one line.

// Letters of other alphabets that look like Latin ones; what a person reads is what counts.
const alike = pairs(
  'аaвbсcԁdеeѐeёeҽeһhіiїiјjкkӏlмmнhоoрpԛqгrѕsтtуyԝwхxүyαaβbεeηnιiκkνvοoρpτtυuχxωwγyζzσoւuոnօoհhյjաwзzƅbɑaɡgıiɩiʟlɴnᴏoᴘpᴜuᴠvᴡwᴢzßb',
)

// Traditional forms of the characters that the Chinese rules are written in.
const simplified = pairs(
  '裝装載载軟软體体數数據据庫库遷迁執执運运應应刪删線线環环發发佈布鑰钥憑凭證证權权強强歷历級级賴赖組组覆覆資资訪访問问讀读導导洩泄傳传換换輪轮產产務务連连錄录關关終终動动無无別别請请從从網网遠远遙远腳脚倉仓盤盘統统員员號号碼码檔档變变錯错誤误測测試试頁页寫写態态單单對对類类還还實实現现處处該该',
)

function pairs(text: string): ReadonlyMap<string, string> {
  const letters = Array.from(text)
  return new Map(
    letters.flatMap((letter, index) =>
      index % 2 === 0 ? [[letter, letters[index + 1] ?? ''] as const] : [],
    ),
  )
}

const ignorable = /[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu

/**
 * The spellings of a text that a person or a shell would take for the same, without doubles: as it stands, with letters
 * spelled out one by one put together, and with quotes and line-end hyphens taken out. Most texts have one.
 */
export function readingsOf(text: string): readonly string[] {
  const plain = letters(text.replaceAll(ignorable, ''))
  const all = [plain, plain.replaceAll(spelled, together), unquoted(plain)]
  const apart = text.replaceAll(ignorable, ' ')
  if (apart !== text) all.push(letters(apart))
  return [...new Set(all.map(oneLine))]
}

function letters(text: string): string {
  const folded = text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}+/gu, '')
    .normalize('NFC')
  return folded
    .replaceAll(/[\p{Pd}\u2212]/gu, '-')
    .replaceAll(/[\u2018\u2019\u02bc\u00b4]/g, "'")
    .replaceAll(/[\u201c\u201d]/g, '"')
    .replaceAll(
      /[\u0250-\u1fff\u3400-\u9fff\u00df\u0131\u0185]/g,
      (letter) => alike.get(letter) ?? simplified.get(letter) ?? letter,
    )
}

/** `s u d o`, `s.u.d.o` and the like. */
const spelled = /(?<![\p{L}\p{N}])[a-z0-9](?:[ ._+-][a-z0-9]){2,}(?![\p{L}\p{N}])/gu

function together(found: string): string {
  return found.replaceAll(/[ ._+-]/g, '')
}

/** As a shell reads it: `s"ud"o`, `su\do`, `rm${IFS}-rf`; and a word broken at the end of a line. */
function unquoted(text: string): string {
  return text
    .replaceAll(/(?<=[a-z])-[ \t]*\n\s*(?=[a-z])/g, '')
    .replaceAll(/\$\{?ifs\}?/g, ' ')
    .replaceAll(/["'\\^]/g, '')
}

/** Without markdown, every gap one space, none between Chinese characters. */
function oneLine(text: string): string {
  return text
    .replaceAll(/[`*]|~~/g, '')
    .replaceAll(/(?<![\p{L}\p{N}])_+|_+(?![\p{L}\p{N}])/gu, '')
    .replaceAll(/(?<=\p{Script=Han})[ \t]+(?=\p{Script=Han})/gu, '')
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
}

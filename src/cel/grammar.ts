import type { TokenKind } from './lexer.ts'

/** A place in the grammar: which tokens may come next, and whether its rule may end here (then what follows its caller may come too). */
export interface State {
  tokens: ReadonlySet<TokenKind>
  mayEnd: boolean
}

const primaryFirst: TokenKind[] = [
  "'['",
  "'{'",
  "'('",
  "'.'",
  "'-'",
  "'true'",
  "'false'",
  "'null'",
  'NUM_FLOAT',
  'NUM_INT',
  'NUM_UINT',
  'STRING',
  'BYTES',
  'IDENTIFIER',
]
const expressionFirst: TokenKind[] = [...primaryFirst, "'!'"]
export const relationOperators: TokenKind[] = ["'=='", "'!='", "'in'", "'<'", "'<='", "'>='", "'>'"]
export const products: TokenKind[] = ["'*'", "'/'", "'%'"]
export const sums: TokenKind[] = ["'+'", "'-'"]
const fieldFirst: TokenKind[] = ['IDENTIFIER', 'ESC_IDENTIFIER']

const before = (...tokens: TokenKind[]): State => ({ tokens: new Set(tokens), mayEnd: false })
const atEndOr = (...tokens: TokenKind[]): State => ({ tokens: new Set(tokens), mayEnd: true })

/** The places of the grammar, by rule. Those with the same tokens are places of their own: recovery tells them apart. */
export const grammar = {
  end: before('<EOF>'),
  conditional: { question: atEndOr("'?'"), colon: before("':'"), yes: before(...expressionFirst), no: before(...expressionFirst), end: atEndOr() },
  or: atEndOr("'||'"),
  and: atEndOr("'&&'"),
  logic: before(...expressionFirst),
  relation: { loop: atEndOr(...relationOperators), right: before(...expressionFirst) },
  calc: { loop: atEndOr(...products, ...sums), right: before(...expressionFirst) },
  unary: {
    alternatives: before(...expressionFirst),
    '!': { first: before("'!'"), each: before("'!'"), loop: before("'!'", ...primaryFirst) },
    '-': { first: before("'-'"), each: before("'-'"), loop: before(...primaryFirst) },
    end: atEndOr(),
  },
  member: {
    loop: atEndOr("'.'", "'['"),
    alternatives: before("'.'", "'['"),
    dot: before("'.'"),
    question: before("'?'", ...fieldFirst),
    afterQuestion: before(...fieldFirst),
    callDot: before("'.'"),
    name: before('IDENTIFIER'),
    open: before("'('"),
    args: before("')'", ...expressionFirst),
    close: before("')'"),
    bracket: before("'['"),
    index: before("'?'", ...expressionFirst),
    afterIndexQuestion: before(...expressionFirst),
    closeBracket: before("']'"),
  },
  primary: {
    alternatives: before(...primaryFirst),
    dot: before("'.'", 'IDENTIFIER'),
    name: before('IDENTIFIER'),
    open: before("'('"),
    args: before("')'", ...expressionFirst),
    inner: before(...expressionFirst),
    innerClose: before("')'"),
    close: before("')'"),
    listOpen: before("'['"),
    elements: before("'?'", ...expressionFirst, "','", "']'"),
    listComma: before("','", "']'"),
    listClose: before("']'"),
    mapOpen: before("'{'"),
    entries: before("'?'", ...expressionFirst, "','", "'}'"),
    mapComma: before("','", "'}'"),
    mapClose: before("'}'"),
    names: before("'.'", "'{'"),
    namesLoop: before("'.'", "'{'"),
    messageOpen: before("'{'"),
    fields: before("'?'", ...fieldFirst, "','", "'}'"),
    messageComma: before("','", "'}'"),
    messageClose: before("'}'"),
    end: atEndOr(),
  },
  args: { loop: atEndOr("','"), next: before(...expressionFirst) },
  elements: { loop: atEndOr("','"), next: before("'?'", ...expressionFirst) },
  entries: { colon: before("':'"), value: before(...expressionFirst), loop: atEndOr("','"), key: before("'?'", ...expressionFirst) },
  fields: { colon: before("':'"), value: before(...expressionFirst), loop: atEndOr("','"), key: before("'?'", ...fieldFirst) },
  element: { question: before("'?'", ...expressionFirst), expr: before(...expressionFirst) },
  field: { question: before("'?'", ...fieldFirst), name: before(...fieldFirst) },
  name: { alternatives: before(...fieldFirst), end: atEndOr() },
  literal: {
    alternatives: before(...primaryFirst.filter((kind) => !["'['", "'{'", "'('", "'.'", 'IDENTIFIER'].includes(kind))),
    sign: before("'-'", 'NUM_INT', 'NUM_FLOAT'),
    number: before('NUM_INT', 'NUM_FLOAT'),
    end: atEndOr(),
  },
} satisfies Record<string, State | Record<string, State | Record<string, State>>>

/** What may begin a part that operators stand between, and what an expression. */
export const primaries: ReadonlySet<TokenKind> = new Set(primaryFirst)
export const expressions: ReadonlySet<TokenKind> = new Set(expressionFirst)

/** How many warnings are looked for where each of many may concern each other: a header has room for fewer. */
export const mostWarnings = 100

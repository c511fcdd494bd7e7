/** Texts of a length, each against another habit of a pattern: nested repeats, separators without end, almost a number, almost an address. */
export function hostileTexts(characters: number): string[] {
  const pumps = [
    "1-",
    "1 ",
    "1",
    "a",
    "A1",
    "浙江省",
    "浙",
    "a.",
    "a@",
    "x, ",
    "(",
    " ",
    ":",
    "::",
    "0:",
    "\u0301",
    "\u200d",
    "👨‍👩‍👧",
    '{"a":',
    "[",
    "e1",
    "北京市海淀区",
    "1,",
  ];
  return pumps.flatMap((pump) => {
    const run = pump
      .repeat(Math.ceil(characters / pump.length))
      .slice(0, characters)
      .toWellFormed();
    return [run, `${run}!`, `a@${run}`, `+${run}`];
  });
}

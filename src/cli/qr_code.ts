/** QR codes, on a terminal and as a picture. The one file that knows the package. */
// @ts-types="./qrcode.d.ts"
import { create, toBuffer } from "qrcode";

/** Cells of nothing around the code, which scanners need; the standard's four are for print. */
const QUIET = 2;

/**
 * The code in lines of half blocks, two rows of cells in each. With colours it is dark on light
 * whatever the terminal's own are; without, it is right on a dark terminal.
 */
export function ascii(text: string, { colours }: { colours: boolean }): string {
  const { modules } = create(text, { errorCorrectionLevel: "L" });
  const { size } = modules;
  const isLight = (row: number, column: number) =>
    row < 0 || column < 0 || row >= size || column >= size || modules.get(row, column) === 0;
  const lines: string[] = [];
  for (let row = -QUIET; row < size + QUIET; row += 2) {
    let line = "";
    for (let column = -QUIET; column < size + QUIET; column++) {
      line += BLOCKS[Number(isLight(row, column)) * 2 + Number(isLight(row + 1, column))];
    }
    lines.push(colours ? `\x1b[97;40m${line}\x1b[0m` : line);
  }
  return `${lines.join("\n")}\n`;
}

/** By whether the upper and the lower cell are light. */
const BLOCKS = [" ", "▄", "▀", "█"] as const;

/** The code as a PNG. */
export async function png(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await toBuffer(text, { errorCorrectionLevel: "L", margin: 4, width: 512 }));
}

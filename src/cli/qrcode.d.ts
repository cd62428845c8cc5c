/** What of the package `qrcode`, which has no types of its own, is used here. */

interface Options {
  readonly errorCorrectionLevel: "L" | "M" | "Q" | "H";
}

/** The cells of a code: 1 is dark. */
export function create(
  text: string,
  options: Options,
): {
  readonly modules: {
    readonly size: number;
    get(row: number, column: number): number;
  };
};

/** Resolves to a PNG. `margin` counts cells, `width` pixels. */
export function toBuffer(
  text: string,
  options: Options & { readonly margin: number; readonly width: number },
): Promise<Uint8Array>;

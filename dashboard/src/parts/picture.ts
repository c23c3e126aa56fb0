/** A chart as a picture: what is drawn, on the page's ground, under its title. */

const MARGIN = 16;
const LINE = 24;

export async function pictureOf(drawn: HTMLCanvasElement, title: string): Promise<Blob> {
  const style = getComputedStyle(document.documentElement);
  const scale = devicePixelRatio;
  const [margin, head] = [MARGIN * scale, (MARGIN + LINE) * scale];
  const canvas = document.createElement("canvas");
  canvas.width = drawn.width + 2 * margin;
  canvas.height = drawn.height + head + margin;
  const ink = canvas.getContext("2d") as CanvasRenderingContext2D;
  ink.fillStyle = style.getPropertyValue("--surface").trim();
  ink.fillRect(0, 0, canvas.width, canvas.height);
  ink.fillStyle = style.getPropertyValue("--text").trim();
  ink.font = `${14 * scale}px system-ui, sans-serif`;
  ink.textBaseline = "middle";
  ink.fillText(title, margin, margin + (LINE * scale) / 2, drawn.width);
  ink.drawImage(drawn, margin, head);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture could not be made"))), "image/png");
  });
}

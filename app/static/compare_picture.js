// A visitor's own picture for Compare: chosen as a file, dropped, or pasted.
import { toast } from "./server.js";

const LARGEST = 20e6; // bytes, as the server has it

async function upload(blob, onPicture) {
  if (!blob) return;
  if (blob.size > LARGEST) {
    toast("The picture is larger than 20 MB; nothing was sent.", "bad");
    return;
  }
  try {
    const reply = await fetch("upload/compare", {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream", Accept: "application/json" },
      body: blob,
    });
    const body = await reply.json();
    if (!reply.ok) throw new Error(body.error);
    onPicture(body);
  } catch (error) {
    toast(error.message, "bad");
  }
}

const imageOf = (files) => [...files].find((one) => one.type.startsWith("image/"));

/** Take pictures from the place `drop`, the input `file` and the clipboard; `onPicture(view)`. */
export function pictureInput(drop, file, onPicture) {
  file.addEventListener("change", () => {
    upload(file.files[0], onPicture);
    file.value = "";
  });
  drop.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      file.click();
    }
  });
  for (const name of ["dragover", "drop", "dragleave"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop") upload(imageOf(event.dataTransfer.files), onPicture);
    });
  }
  addEventListener("paste", (event) => {
    const image = imageOf(event.clipboardData.files);
    if (image) {
      event.preventDefault();
      upload(image, onPicture);
    }
  });
}

// A visitor's own picture for Compare: chosen as a file, dropped, pasted, or taken with the camera.
import { toast } from "./server.js";

const LARGEST = 20e6; // bytes, as the server has it
const SIDE = 4096; // longest side of a picture that was scaled down, as the server has it

const find = (name) => document.querySelector(`[data-${name}]`);

/** What a canvas shows, as a JPEG file. */
const jpegOf = (canvas) => new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));

function draw(source, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").drawImage(source, 0, 0, width, height);
  return canvas;
}

/**
 * A file that is too large to be sent, scaled down here, and what was done in words.  Others are
 * sent as they are; the server scales those of many pixels.
 */
async function sendable(blob) {
  if (blob.size <= LARGEST) return [blob, ""];
  let picture;
  try {
    picture = await createImageBitmap(blob);
  } catch (error) {
    const words = "The picture is larger than 20 MB, and this browser cannot scale it down.";
    throw new Error(`${words} Nothing was sent.`, { cause: error });
  }
  const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
  const size = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  const small = await jpegOf(draw(picture, size[0], size[1]));
  return [small, `scaled down to ${size[0]}x${size[1]} pixels before it was sent`];
}

async function upload(blob, onPicture) {
  if (!blob) return;
  try {
    const [body, change] = await sendable(blob);
    const reply = await fetch("upload/compare", {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream", Accept: "application/json" },
      body,
    });
    const view = await reply.json();
    if (!reply.ok) throw new Error(view.error);
    onPicture({ ...view, change: view.change || change });
  } catch (error) {
    toast(error.message, "bad");
  }
}

const isPicture = (one) => one.type.startsWith("image/") || /\.hei[cf]$/i.test(one.name);
const imageOf = (files) => [...files].find(isPicture);

/** The picture on the clipboard, or why there is none. */
async function paste(onPicture) {
  const keys = "Press Ctrl+V (on a Mac ⌘V) to paste a picture.";
  let items;
  try {
    items = await navigator.clipboard.read();
  } catch {
    toast(keys); // not allowed, or not over https: the keys need no leave
    return;
  }
  for (const item of items) {
    const type = item.types.find((one) => one.startsWith("image/"));
    if (type) {
      upload(await item.getType(type), onPicture);
      return;
    }
  }
  toast("There is no picture on the clipboard.", "bad");
}

/** Take a picture with the camera, in a dialog; where there is none, files of a phone's camera. */
function camera(file, onPicture) {
  const dialog = find("camera-dialog");
  const video = find("video");
  const stop = () => {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
  };
  dialog.addEventListener("close", stop);
  find("camera-close").addEventListener("click", () => dialog.close());
  find("snap").addEventListener("click", async () => {
    if (!video.videoWidth) return; // it has not begun to show anything
    const shot = await jpegOf(draw(video, video.videoWidth, video.videoHeight));
    dialog.close();
    upload(shot, onPicture);
  });
  return async () => {
    if (!navigator.mediaDevices) {
      toast("Browsers open the camera over https or on this machine only; choose a file instead.");
      file.click();
      return;
    }
    try {
      const wish = { facingMode: "environment", width: { ideal: 1920 } };
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: wish });
      dialog.showModal();
      await video.play();
    } catch (error) {
      stop();
      toast(`The camera cannot be used: ${error.message}`, "bad");
    }
  };
}

/** Take pictures from the place `drop`, the input `file`, clipboard and camera. */
export function pictureInput(drop, file, onPicture) {
  file.addEventListener("change", () => {
    upload(file.files[0], onPicture);
    file.value = "";
  });
  find("upload").addEventListener("click", () => file.click());
  find("paste").addEventListener("click", () => paste(onPicture));
  find("camera").addEventListener("click", camera(file, onPicture));
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

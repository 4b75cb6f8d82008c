// Load a VRM animation with pixiv's library: node vrma.mjs CLIP.vrma
// Print one line of JSON: the tracks of its bones, and the rest position of the hips.
import { readFile } from "node:fs/promises";
import { VRMAnimationLoaderPlugin } from "@pixiv/three-vrm-animation";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

const loader = new GLTFLoader();
loader.register((parser) => new VRMAnimationLoaderPlugin(parser));
const content = await readFile(process.argv[2]);
const gltf = await loader.parseAsync(content.buffer.slice(content.byteOffset, content.byteOffset + content.length), "");
const [animation] = gltf.userData.vrmAnimations;
const { rotation, translation } = animation.humanoidTracks;
const values = (tracks) => Object.fromEntries([...tracks].map(([bone, track]) => [bone, [...track.values]]));
console.log(
  JSON.stringify({
    seconds: animation.duration,
    times: [...translation.get("hips").times],
    rotation: values(rotation),
    translation: values(translation),
    restHips: animation.restHipsPosition.toArray(),
  }),
);

import { Me } from "./me.jsx";

export default function Page() {
  return (
    <main>
      <Me />
    </main>
  );
}

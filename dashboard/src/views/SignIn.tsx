// No session: how to get one, and a field for the one-time code.
import { type FormEvent, useState } from "react";
import { exchangeCode } from "../api/client";
import controls from "../ui/controls.module.css";
import styles from "./Empty.module.css";

export default function SignIn() {
  const [code, setCode] = useState("");
  const [failed, setFailed] = useState("");
  const enter = async (event: FormEvent) => {
    event.preventDefault();
    const address = code.includes("code=") ? code.slice(code.indexOf("code=") + 5) : code;
    await exchangeCode(address.trim()).then(
      () => location.reload(),
      (error: Error) => setFailed(error.message),
    );
  };
  return (
    <form className={styles.empty} onSubmit={(event) => void enter(event)}>
      <h1>This browser has no session</h1>
      <p role="alert">
        {failed || (
          <>
            On the server's machine, run <code>ml-logger open</code>; or paste the code (or the whole address) that the server
            printed.
          </>
        )}
      </p>
      <input
        className={controls.input}
        aria-label="Code"
        size={48}
        value={code}
        onChange={(event) => setCode(event.target.value)}
      />
      <button type="submit" className={controls.button} disabled={!code.trim()}>
        Sign in
      </button>
    </form>
  );
}

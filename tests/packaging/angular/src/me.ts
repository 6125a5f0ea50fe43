import { HttpClient } from "@angular/common/http";
import { Component, inject, signal } from "@angular/core";
import { injectAuth } from "countersign/angular";

@Component({
  selector: "app-me",
  template: `
    <p id="user">{{ auth.user()?.name }}</p>
    <p id="api">{{ greeting() }}</p>
  `,
})
export class Me {
  protected readonly auth = injectAuth();
  protected readonly greeting = signal("");

  constructor() {
    inject(HttpClient)
      .get<{ greeting: string }>("https://api.example.com/me") // with a fresh access token
      .subscribe((me) => this.greeting.set(me.greeting));
  }
}

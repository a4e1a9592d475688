"""Case room of chapter 4: subscribers who leave, calls that keep some of them, and a warehouse that saw it all."""

"""What the URLs do: a Request goes in, an answer comes out."""

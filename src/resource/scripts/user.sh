# A user with a group of its name; with the number where nobody has that.
getent group "$USER_NAME" >/dev/null || if getent group "$USER_ID" >/dev/null; then groupadd "$USER_NAME"; else groupadd -g "$USER_ID" "$USER_NAME"; fi
set -- -g "$USER_NAME" ${USER_HOME:+-d "$USER_HOME"} -m -s /bin/bash "$USER_NAME"
if getent passwd "$USER_ID" >/dev/null; then useradd "$@"; else useradd -u "$USER_ID" "$@"; fi

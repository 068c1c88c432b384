# Takes the member MEMBER_ID out of the list. Needs `etcd_ctl`.
end=$(($(date +%s) + 20))
until said=$(etcd_ctl member remove "$MEMBER_ID" 2>&1); do
  case $said in
  *'unhealthy cluster'*) [ "$(date +%s)" -lt "$end" ] && sleep 0.3 && continue ;;
  esac
  printf '%s\n' "$said" | tail -n 1
  exit 1
done
